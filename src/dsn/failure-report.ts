/**
 * The report to a sender whose message could not be delivered: multipart/report (RFC 6522, RFC 3464, RFC 6533) of a
 * text for people, fields for programs and the header of the message. Sent from the null sender, which is the caller's
 * part, and never about a message that came from it (RFC 5321 §6.1).
 */

import { isAscii, isUtf8 } from 'node:buffer';
import { foldField } from '../mail/fold.ts';
import { fieldValue, findFields, type HeaderField, parseHeader } from '../mail/header.ts';
import { deliveryStatus, type ReportedMessage } from './delivery-status.ts';
import { type FailedRecipient, oneLine } from './failure.ts';
import { failureText } from './failure-text.ts';
import { reportHeader } from './message.ts';
import { type Part, renderMultipart } from './part.ts';

export interface FailureReport extends ReportedMessage {
  /** The reverse-path of the message, `user@domain`, never the null sender. */
  sender: string;
  failures: readonly FailedRecipient[];
  /** The header section of the message as it was sent; a body that follows is ignored. */
  header: Buffer;
  /** Milliseconds since the epoch. */
  now: number;
  /** Of the report, with its angle brackets. */
  messageId: string;
}

/** Octets of the original's header that go back; whole fields, and what is beyond is left out. */
const maxHeaderOctets = 32 * 1024;
const maxSubjectLength = 200;
const maxMessageIdLength = 900;

function boundedFields(fields: readonly HeaderField[]): Buffer {
  const kept: Buffer[] = [];
  let octets = 0;
  for (const { raw } of fields) {
    octets += raw.length;
    if (octets > maxHeaderOctets) break;
    kept.push(raw);
  }
  return Buffer.concat(kept);
}

/** RFC 6522 §4; in UTF-8 it is a part of another type (RFC 6533 §6.3), other 8-bit text stays what it is. */
function headerPart(fields: readonly HeaderField[]): Part {
  const content = boundedFields(fields);
  const isGlobal = !isAscii(content) && isUtf8(content);
  return { contentType: isGlobal ? 'message/global-headers' : 'text/rfc822-headers', content };
}

/** As it stands in the header; encoded words are left to be recognised by those who wrote them. */
function subjectOf(fields: readonly HeaderField[]): string | undefined {
  const [field] = findFields(fields, 'subject');
  const subject = field === undefined ? '' : oneLine(fieldValue(field));
  return subject === '' ? undefined : subject.slice(0, maxSubjectLength);
}

/** The original's Message-ID for the threads of mail programs; only where it is one, or it could break our header. */
function referenceFields(fields: readonly HeaderField[]): string {
  const [field] = findFields(fields, 'message-id');
  const messageId = field === undefined ? '' : fieldValue(field);
  if (!/^<[\x21-\x7e]+>$/.test(messageId) || messageId.length > maxMessageIdLength) return '';
  return foldField('In-Reply-To', [messageId]) + foldField('References', [messageId]);
}

/** Names a single recipient where that is possible in ASCII. */
function reportSubject(failures: readonly FailedRecipient[]): string {
  const { recipient, originalRecipient } = failures[0] ?? { recipient: '' };
  const named = oneLine(originalRecipient ?? recipient);
  const whom = failures.length > 1 ? `${failures.length} recipients` : named;
  return `Undelivered: your message to ${/^[\x20-\x7e]+$/.test(whom) ? whom : 'a recipient'}`;
}

/** The complete message, CRLF line ends, lines of at most 998 octets, ASCII but for a sender that is not. */
export function composeFailureReport(report: FailureReport): Buffer {
  const { fields } = parseHeader(report.header);
  const subject = subjectOf(fields);
  const text = failureText(subject === undefined ? report : { ...report, subject });
  const { boundary, body } = renderMultipart([
    { contentType: 'text/plain; charset=utf-8', content: text },
    { contentType: 'message/delivery-status', content: deliveryStatus(report, report.failures) },
    headerPart(fields),
  ]);
  const header = reportHeader({
    ...report,
    to: report.sender,
    subject: reportSubject(report.failures),
    autoSubmitted: 'auto-replied',
  });
  const type = foldField('Content-Type', [
    'multipart/report;',
    'report-type=delivery-status;',
    `boundary="${boundary}"`,
  ]);
  return Buffer.from(`${header}${referenceFields(fields)}${type}\r\n${body}`);
}
