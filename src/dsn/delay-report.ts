/**
 * The report to a sender whose message takes longer than usual, and is tried again: `Action: delayed` (RFC 3464 §2.3.3).
 * Returns the header only (RFC 3461 §6.2).
 */

import { formatDate } from '../mail/date.ts';
import { delayStatus, type ReportedMessage } from './delivery-status.ts';
import type { DelayedRecipient } from './failure.ts';
import { failureLines, wrapText } from './failure-text.ts';
import { composeReport, type Original, recipientsInSubject, subjectOf } from './report.ts';

export interface DelayReport extends ReportedMessage, Original {
  /** Our address, where a person reads what is answered. */
  from: string;
  /** The reverse-path of the message, `user@domain`, never the null sender. */
  sender: string;
  delays: readonly DelayedRecipient[];
  /** Milliseconds since the epoch. */
  now: number;
  /** Of the report, with its angle brackets. */
  messageId: string;
}

const healingAdvice =
  'The answer is one of those that often change within a day, so the message is tried a few times more. If that does ' +
  'not help, you will be told. You may also ask the recipient by another way to make room.';

const delayLines = (delay: DelayedRecipient): string[] => [
  ...failureLines(delay),
  `  Tried again until: ${formatDate(delay.willRetryUntil)}`,
  ...(delay.mayHeal ? wrapText(healingAdvice, '  ') : []),
];

function delayText(
  { hostname, queueId, arrivedAt, delays }: DelayReport,
  subject: string | undefined,
): string {
  const whom = delays.length === 1 ? 'this recipient' : 'these recipients';
  return [
    `This is the mail server ${hostname}.`,
    '',
    `Your message of ${formatDate(arrivedAt)}`,
    ...(subject === undefined ? [] : [`with the subject "${subject}"`]),
    `could not be delivered yet to ${whom}.`,
    'It is tried again, and you need not send it again:',
    '',
    ...delays.flatMap((each) => [...delayLines(each), '']),
    `If you ask your postmaster, give the queue id ${queueId}.`,
    '',
  ].join('\r\n');
}

/** The complete message, CRLF line ends, lines of at most 998 octets, ASCII but for a sender that is not. */
export function composeDelayReport(report: DelayReport): Buffer {
  const { delays, header } = report;
  return composeReport({
    ...report,
    subject: `Delayed: your message to ${recipientsInSubject(delays)}`,
    text: delayText(report, subjectOf(report)),
    status: delayStatus(report, delays),
    original: { header },
  });
}
