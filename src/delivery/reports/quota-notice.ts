/** The word to a user whose mailbox is nearly full: a message like any other, from the postmaster of the user's domain. */

import type { DossierEvent } from '../../dossier/event.ts';
import { wrapText } from '../../dsn/failure-text.ts';
import { reportHeader } from '../../dsn/message.ts';
import { renderPart } from '../../dsn/part.ts';
import { newEntry } from '../../queue/entry.ts';
import type { Queue } from '../../queue/queue.ts';
import type { Clock } from '../../util/clock.ts';

export interface QuotaNoticeParts {
  hostname: string;
  queue: Pick<Queue, 'accept'>;
  nextQueueId(): string;
  clock: Clock;
}

export interface FullMailbox {
  account: string;
  /** Octets of mail in it, and of those that it may hold. */
  bytes: number;
  quotaBytes: number;
}

/** Resolves when it is in the queue. */
export async function sendQuotaNotice(parts: QuotaNoticeParts, mailbox: FullMailbox): Promise<void> {
  const queueId = parts.nextQueueId();
  const at = parts.clock.now();
  const messageId = `<${queueId}@${parts.hostname}>`;
  const content = Buffer.from(noticeTo(mailbox, { now: at, messageId }));
  const { account } = mailbox;
  const message = {
    ...{ queueId, acceptedAt: at, reversePath: '', messageId },
    prefix: Buffer.alloc(0),
    content: { kind: 'inline', bytes: content } as const,
    sizeBytes: content.length,
    ...{ eightBit: false, smtputf8: false },
    failuresTo: 'nobody' as const,
  };
  const accepted: DossierEvent = {
    ...{ at, queueId, event: 'accepted' },
    data: { via: 'internal', from: '', to: [account], sizeBytes: content.length, messageId },
  };
  const recipients = [{ kind: 'local', address: account, destination: '' }] as const;
  await parts.queue.accept(newEntry({ message, recipients, events: [accepted] }));
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

function noticeTo(
  { account, bytes, quotaBytes }: FullMailbox,
  { now, messageId }: { now: number; messageId: string },
): string {
  const percent = Math.floor((100 * bytes) / quotaBytes);
  const header = reportHeader({
    from: `postmaster@${account.slice(account.lastIndexOf('@') + 1)}`,
    to: account,
    subject: `Your mailbox is ${percent} % full`,
    autoSubmitted: 'auto-generated',
    ...{ now, messageId },
  });
  const text = [
    ...wrapText(
      `There are ${mebibytes(bytes)} of mail in ${account}, which may hold ${mebibytes(quotaBytes)}.`,
    ),
    '',
    ...wrapText(
      'When it is full, mail to it is refused: for a day its senders are asked to try again, then they are told that ' +
        'it has not arrived. Delete what you do not need, the large messages first, or ask your postmaster for more room.',
    ),
    '',
  ].join('\r\n');
  return header + renderPart({ contentType: 'text/plain; charset=utf-8', content: text });
}
