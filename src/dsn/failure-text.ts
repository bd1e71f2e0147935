/** The part of a report that people read: what happened to which recipient, in words, with all that the other side said. */

import { formatDate } from '../mail/date.ts';
import { adviceFor } from './advice.ts';
import { diagnosticLines, endpointText, type FailedRecipient, oneLine } from './failure.ts';

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
  const { recipient, originalRecipient, endpoint, phase, rule, lastAttemptAt } = failure;
  return [
    `<${oneLine(recipient)}>`,
    ...(originalRecipient === undefined ? [] : [`  You wrote to: <${oneLine(originalRecipient)}>`]),
    ...(endpoint === undefined ? [] : [`  Server: ${endpointText(endpoint)}`]),
    `  Time: ${formatDate(lastAttemptAt)}`,
    `  While: ${oneLine(phase)}`,
    ...saidLines(failure),
    `  Rule: ${oneLine(rule)}`,
  ];
}

/** The whole text, CRLF line ends; `subject` is the original message's, as people would read it, where it is known. */
export function failureText(report: {
  hostname: string;
  queueId: string;
  arrivedAt: number;
  subject?: string;
  failures: readonly FailedRecipient[];
}): string {
  const { hostname, queueId, arrivedAt, subject, failures } = report;
  const [whom, they] = failures.length === 1 ? ['this recipient', 'it'] : ['these recipients', 'them'];
  const paragraphs = failures.map((failure) => [
    ...failureLines(failure),
    ...wrapText(adviceFor(failure.status), '  '),
    '',
  ]);
  return [
    `This is the mail server ${hostname}.`,
    '',
    `Your message of ${formatDate(arrivedAt)}`,
    ...(subject === undefined ? [] : [`with the subject "${subject}"`]),
    `could not be delivered to ${whom}, and is not tried again for ${they}:`,
    '',
    ...paragraphs.flat(),
    `If you ask your postmaster, give the queue id ${queueId}.`,
    '',
  ].join('\r\n');
}
