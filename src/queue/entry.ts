/** Makes what the store takes in: a message, one job per recipient (never one per message), and its first events. */

import type { DossierEvent } from '../dossier/event.ts';
import type { JobRow, MessageRow, NewMessage } from '../store/store.ts';
import type { Recipient } from './directory.ts';
import { lifetimeMs } from './retry.ts';

export interface EntryOptions {
  message: MessageRow;
  recipients: readonly Recipient[];
  /** Where local recipients get it. */
  folder: 'Inbox' | 'Junk';
  events: DossierEvent[];
}

/** Recipients that two addresses lead to get the message once. */
export function newEntry({ message, recipients, folder, events }: EntryOptions): Omit<NewMessage, 'claimed'> {
  const distinct = new Map(recipients.toReversed().map((recipient) => [recipient.address, recipient]));
  const jobs = [...distinct.values()]
    .toReversed()
    .map((recipient, number) => newJob(message, recipient, number, folder));
  return { message, jobs, events: [...events, ...redirections(message, recipients)] };
}

function newJob(message: MessageRow, recipient: Recipient, number: number, folder: 'Inbox' | 'Junk'): JobRow {
  const { queueId, acceptedAt } = message;
  const { address, kind, destination, redirected } = recipient;
  const times = { queuedAt: acceptedAt, nextAttemptAt: acceptedAt, expiresAt: acceptedAt + lifetimeMs };
  const job: JobRow = { queueId, number, recipient: address, kind, destination, attempts: 0, ...times };
  if (redirected) job.originalRecipient = redirected.from;
  if (kind === 'local') job.folder = folder;
  return job;
}

function redirections({ queueId, acceptedAt }: MessageRow, recipients: readonly Recipient[]): DossierEvent[] {
  return recipients.flatMap(({ address, redirected }) =>
    redirected
      ? [{ at: acceptedAt, queueId, recipient: address, event: 'redirected' as const, data: redirected }]
      : [],
  );
}
