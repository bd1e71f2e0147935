/** The part of a report that people read: what happened to which recipient, in words, with all that the other side said. */

import { formatDate } from '../mail/date.ts';
import { adviceFor } from './advice.ts';
import { diagnosticLines, endpointText, type FailedRecipient, oneLine } from './failure.ts';
import { phaseText } from './phases.ts';

/** The words of the other side, all lines of them; our own where there was no answer. */
function saidLines({ reply, reason }: FailedRecipient): string[] {
  if (reply === undefined) return [`  Reason: ${oneLine(reason)}`];
  return ['  The answer was:', ...diagnosticLines(reply).map((line) => `      ${line}`)];
}

/** Breaks our own sentences, whose words are short, into lines of at most 70 characters and the indent. */
export function wrapText(text: string, indent = ''): string[] {
  return (text.match(/.{1,70}(?: |$)/g) ?? []).map((line) => indent + line.trimEnd());
}

/** A paragraph of lines about one recipient. */
export function failureLines(failure: FailedRecipient): string[] {
  const { recipient, originalRecipient, endpoint, phase, rule, lastAttemptAt, mayHaveArrived } = failure;
  return [
    `<${oneLine(recipient)}>`,
    ...(originalRecipient === undefined ? [] : [`  You wrote to: <${oneLine(originalRecipient)}>`]),
    ...(endpoint === undefined ? [] : [`  Server: ${endpointText(endpoint)}`]),
    `  Time: ${formatDate(lastAttemptAt)}`,
    `  While: ${oneLine(phaseText(phase))}`,
    ...saidLines(failure),
    `  Rule: ${oneLine(rule)}`,
    ...(mayHaveArrived ? ['  It may have arrived: an attempt ended without an answer.'] : []),
  ];
}

/** Of none of them it is known that the message did not arrive. */
export const isInDoubt = (failures: readonly FailedRecipient[]): boolean =>
  failures.length > 0 && failures.every(({ mayHaveArrived }) => mayHaveArrived);

const doubtAdvice =
  'The whole message was sent, and the connection was lost before the other server said whether it had taken it. ' +
  'Ask the recipient by another way whether it is there, before you send it again.';

/** The whole text, CRLF line ends; `subject` is the original message's, as people would read it, where it is known. */
export function failureText(report: {
  hostname: string;
  queueId: string;
  arrivedAt: number;
  subject?: string;
  failures: readonly FailedRecipient[];
}): string {
  const { hostname, queueId, arrivedAt, subject, failures } = report;
  const whom = failures.length === 1 ? 'this recipient' : 'these recipients';
  const paragraphs = failures.map((failure) => [
    ...failureLines(failure),
    ...wrapText(failure.mayHaveArrived ? doubtAdvice : adviceFor(failure.status), '  '),
    '',
  ]);
  return [
    `This is the mail server ${hostname}.`,
    '',
    `Your message of ${formatDate(arrivedAt)}`,
    ...(subject === undefined ? [] : [`with the subject "${subject}"`]),
    isInDoubt(failures)
      ? `may have been delivered to ${whom}, or it may not. It is not tried again:`
      : `could not be delivered to ${whom}. It is not tried again:`,
    '',
    ...paragraphs.flat(),
    `If you ask your postmaster, give the queue id ${queueId}.`,
    '',
  ].join('\r\n');
}
