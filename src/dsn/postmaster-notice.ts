/**
 * The note to the postmaster about mail that could not be delivered: who, to whom, what was said, what to do. Nothing
 * of the message itself, not even its subject: a postmaster has no business in it.
 */

import { formatDate } from '../mail/date.ts';
import type { ReportedMessage } from './delivery-status.ts';
import { type FailedRecipient, oneLine } from './failure.ts';
import { failureLines, wrapText } from './failure-text.ts';
import { reportHeader } from './message.ts';
import { renderPart } from './part.ts';

export interface PostmasterNotice extends ReportedMessage {
  /** `user@domain` of ours that it comes from. */
  from: string;
  /** `user@domain` of the one who reads it. */
  postmaster: string;
  /** The reverse-path of the message; '' is the null sender. */
  sender: string;
  failures: readonly FailedRecipient[];
  /** Why the sender is not told, in words; absent where the sender is. */
  untold?: string;
  /** Milliseconds since the epoch. */
  now: number;
  /** Of the notice, with its angle brackets. */
  messageId: string;
}

const hint =
  'If all mail to this destination fails, look at what its server says above: a block list, a missing reverse ' +
  'name or a failed sender check is for you to mend; anything else is for the sender.';

function noticeText(notice: PostmasterNotice): string {
  const { hostname, queueId, arrivedAt, sender, failures, untold } = notice;
  return [
    `${hostname} gave up on delivering message ${queueId}`,
    `from <${oneLine(sender)}>`,
    `accepted on ${formatDate(arrivedAt)}:`,
    '',
    ...failures.flatMap((failure) => [...failureLines(failure), '']),
    ...wrapText(untold === undefined ? 'The sender has been told.' : `The sender is not told: ${untold}.`),
    'The whole dialogue and the rules that decided can be read with',
    '',
    `    posthorn trace ${queueId}`,
    '',
    ...wrapText(hint),
    '',
  ].join('\r\n');
}

/** The complete message, CRLF line ends. */
export function composePostmasterNotice(notice: PostmasterNotice): Buffer {
  const header = reportHeader({
    ...notice,
    to: notice.postmaster,
    subject: `Undelivered mail: ${notice.queueId}`,
    autoSubmitted: 'auto-generated',
  });
  return Buffer.from(
    header + renderPart({ contentType: 'text/plain; charset=utf-8', content: noticeText(notice) }),
  );
}
