/**
 * The frame of every report to a sender: multipart/report (RFC 6522) with a part for people, one for machines (RFC 3464)
 * and what goes back of the original. What the report says is its caller's.
 */

import { isAscii, isUtf8 } from 'node:buffer';
import { foldField } from '../mail/fold.ts';
import { fieldValue, findFields, type HeaderField, parseHeader } from '../mail/header.ts';
import { oneLine } from './failure.ts';
import { reportHeader } from './message.ts';
import { isSevenBit, type Part, renderMultipart } from './part.ts';

/** What a report is about. */
export interface Original {
  /** The header section of the message as it was sent; a body that follows is ignored. */
  header: Buffer;
  /** All of it, in 7 bits, where it is to go back whole (RET=FULL, RFC 3461 §4.3). */
  whole?: Buffer;
}

export interface Report {
  /** Our address, where a person reads what is answered (RFC 3464 §2). */
  from: string;
  /** The reverse-path of the message, `user@domain`, never the null sender. */
  sender: string;
  /** Of the report, in ASCII. */
  subject: string;
  /** For people, CRLF line ends. */
  text: string;
  /** The body of message/delivery-status; with UTF-8 in it, of message/global-delivery-status (RFC 6533 §6.2). */
  status: string;
  original: Original;
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

/** RFC 6522 §4; a header in UTF-8 is a part of another type (RFC 6533 §6.3), other 8-bit text stays what it is. */
function returnedPart(fields: readonly HeaderField[], { whole }: Original): Part {
  // A message within another may not be encoded (RFC 2046 §5.2.1).
  if (whole !== undefined && isSevenBit(whole.toString('latin1')))
    return { contentType: 'message/rfc822', content: whole };
  const content = boundedFields(fields);
  const isGlobal = !isAscii(content) && isUtf8(content);
  return { contentType: isGlobal ? 'message/global-headers' : 'text/rfc822-headers', content };
}

/** The original's, as it stands in the header; encoded words are left to be recognised by those who wrote them. */
export function subjectOf({ header }: Original): string | undefined {
  const [field] = findFields(parseHeader(header).fields, 'subject');
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
export function recipientsInSubject(
  recipients: readonly { recipient: string; originalRecipient?: string }[],
): string {
  const { recipient, originalRecipient } = recipients[0] ?? { recipient: '' };
  const named = oneLine(originalRecipient ?? recipient);
  const whom = recipients.length > 1 ? `${recipients.length} recipients` : named;
  return /^[\x20-\x7e]+$/.test(whom) ? whom : 'a recipient';
}

/** The complete message, CRLF line ends, lines of at most 998 octets, ASCII but for a sender that is not. */
export function composeReport(report: Report): Buffer {
  const { text, status, original } = report;
  const { fields } = parseHeader(original.header);
  const { boundary, body } = renderMultipart([
    { contentType: 'text/plain; charset=utf-8', content: text },
    {
      contentType: `message/${isAscii(Buffer.from(status)) ? '' : 'global-'}delivery-status`,
      content: status,
    },
    returnedPart(fields, original),
  ]);
  const header = reportHeader({ ...report, to: report.sender, autoSubmitted: 'auto-replied' });
  const type = foldField('Content-Type', [
    'multipart/report;',
    'report-type=delivery-status;',
    `boundary="${boundary}"`,
  ]);
  return Buffer.from(`${header}${referenceFields(fields)}${type}\r\n${body}`);
}
