/**
 * The report to a sender who wanted to hear of success (NOTIFY=SUCCESS, RFC 3461 §5.2.2, §5.2.3, §5.2.7): delivered,
 * relayed or expanded (RFC 3464 §2.3.3). Returns the header only (RFC 3461 §6.2).
 */

import { formatDate } from '../mail/date.ts';
import { type ReportedMessage, successStatus } from './delivery-status.ts';
import { diagnosticLines, endpointText, oneLine } from './failure.ts';
import { wrapText } from './failure-text.ts';
import { composeReport, type Original, recipientsInSubject, subjectOf } from './report.ts';
import type { ReachedRecipient } from './success.ts';

export interface SuccessReport extends ReportedMessage, Original {
  /** Our address, where a person reads what is answered. */
  from: string;
  /** The reverse-path of the message, `user@domain`, never the null sender. */
  sender: string;
  reached: readonly ReachedRecipient[];
  /** Milliseconds since the epoch. */
  now: number;
  /** Of the report, with its angle brackets. */
  messageId: string;
}

const meanings: Record<ReachedRecipient['action'], string> = {
  delivered: 'It is in the mailbox.',
  relayed:
    'It was handed to the next server, which sends no such reports: this is the last that you will hear.',
  expanded:
    'That address stands for several people; it was sent on to them, and this is all that will be reported.',
};

function reachedLines({
  recipient,
  originalRecipient,
  action,
  endpoint,
  reply,
  at,
}: ReachedRecipient): string[] {
  return [
    `<${oneLine(recipient)}>: ${action}`,
    ...(originalRecipient === undefined ? [] : [`  You wrote to: <${oneLine(originalRecipient)}>`]),
    ...(endpoint === undefined ? [] : [`  Server: ${endpointText(endpoint)}`]),
    `  Time: ${formatDate(at)}`,
    ...(reply === undefined
      ? []
      : ['  The answer was:', ...diagnosticLines(reply).map((line) => `      ${line}`)]),
    ...wrapText(meanings[action], '  '),
  ];
}

function successText(
  { hostname, queueId, arrivedAt, reached }: SuccessReport,
  subject: string | undefined,
): string {
  return [
    `This is the mail server ${hostname}. You asked to be told of success.`,
    '',
    `Your message of ${formatDate(arrivedAt)}`,
    ...(subject === undefined ? [] : [`with the subject "${subject}"`]),
    `has reached ${reached.length === 1 ? 'this recipient' : 'these recipients'}:`,
    '',
    ...reached.flatMap((each) => [...reachedLines(each), '']),
    `If you ask your postmaster, give the queue id ${queueId}.`,
    '',
  ].join('\r\n');
}

/** The complete message, CRLF line ends, lines of at most 998 octets, ASCII but for a sender that is not. */
export function composeSuccessReport(report: SuccessReport): Buffer {
  const { reached, header } = report;
  const done = reached.every(({ action }) => action === 'delivered') ? 'Delivered' : 'On its way';
  return composeReport({
    ...report,
    subject: `${done}: your message to ${recipientsInSubject(reached)}`,
    text: successText(report, subjectOf(report)),
    status: successStatus(report, reached),
    original: { header },
  });
}
