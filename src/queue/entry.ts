/** Makes what the store takes in: a message, one job per recipient (never one per message), and its first events. */

import type { DossierEvent } from '../dossier/event.ts';
import type { JobRow } from '../store/job.ts';
import type { MessageRow } from '../store/message.ts';
import { never } from '../store/never.ts';
import type { NewMessage } from '../store/queue-store.ts';
import { asJunk, type Recipient } from './recipient.ts';
import { defaultRetryPolicy } from './retry.ts';
import { timesOf, timesOfJob } from './sender-times.ts';

export interface EntryOptions {
  message: MessageRow;
  recipients: readonly Recipient[];
  events: DossierEvent[];
  /** Handed in by one of us, so that reports about it are expected. */
  sentFromHere?: boolean;
  /** How long it may take, in ms. Default: that of a configuration that says nothing. */
  lifetimeMs?: number | undefined;
}

/** Recipients that two addresses lead to get the message once. */
export function newEntry(options: EntryOptions): Omit<NewMessage, 'claimed'> {
  const { message, events, sentFromHere } = options;
  const recipients = options.recipients.map((each) => (each.ruling?.folder === 'Junk' ? asJunk(each) : each));
  const distinct = new Map(recipients.toReversed().map((recipient) => [recipient.address, recipient]));
  const jobs = [...distinct.values()]
    .toReversed()
    .map((recipient, number) => newJob(options, recipient, number));
  const entry = { message, jobs, events: [...events, ...redirections(message, recipients)] };
  // About what has no sender nobody reports (RFC 5321 §4.5.5). Of what a list sends, reports come to its owner.
  const isExpected = sentFromHere === true || recipients.some(({ list }) => list !== undefined);
  return isExpected && message.reversePath !== '' ? { ...entry, sentFromHere: true } : entry;
}

/** The entry with all of it held from the start, as an operator's hold would have it; its time stands still. */
export function heldEntry<Entry extends Pick<NewMessage, 'message' | 'jobs' | 'events'>>(
  entry: Entry,
  { by, reason }: { by: string; reason: string },
): Entry {
  const at = entry.message.acceptedAt;
  const jobs = entry.jobs.map((job): JobRow => {
    const { nextAttemptAt, expiresAt, memo } = job;
    return {
      ...job,
      nextAttemptAt: never,
      expiresAt: never,
      memo: { ...memo, held: { by, at, nextAttemptAt, expiresAt } },
    };
  });
  const events = entry.jobs.map(({ queueId, recipient }) => {
    return { at, queueId, recipient, event: 'held', data: { by, reason } };
  });
  return { ...entry, jobs, events: [...entry.events, ...events] };
}

function newJob(
  { message, lifetimeMs = defaultRetryPolicy.lifetimeMs }: EntryOptions,
  recipient: Recipient,
  number: number,
): JobRow {
  const { queueId, acceptedAt } = message;
  const { address, kind, destination, redirected, requests, ruling, forwardedBy, copyKept, list } = recipient;
  const wanted = timesOf(message.requests);
  const times = wanted
    ? { queuedAt: acceptedAt, ...timesOfJob(wanted, acceptedAt, lifetimeMs) }
    : { queuedAt: acceptedAt, nextAttemptAt: acceptedAt, expiresAt: acceptedAt + lifetimeMs };
  const job: JobRow = { queueId, number, recipient: address, kind, destination, attempts: 0, ...times };
  if (redirected) job.originalRecipient = redirected.from;
  if (kind === 'local') job.folder = ruling?.folder ?? 'Inbox';
  if (kind === 'local' && ruling) job.verdict = ruling.verdict;
  if (requests || wanted) job.requests = { ...requests, ...wanted };
  if (kind === 'remote' && forwardedBy !== undefined)
    job.memo = { forwardedBy, ...(copyKept && { copyKept }) };
  if (list) {
    const { address, owner, name } = list;
    job.memo = { ...job.memo, list: { address, owner, ...(name !== undefined && { name }) } };
  }
  return job;
}

/** Each way to a person once, however often the client named it. */
function redirections({ queueId, acceptedAt }: MessageRow, recipients: readonly Recipient[]): DossierEvent[] {
  const ways = new Map<string, DossierEvent>();
  for (const { address, redirected } of recipients) {
    if (!redirected) continue;
    const event = {
      at: acceptedAt,
      queueId,
      recipient: address,
      event: 'redirected',
      data: redirected,
    } as const;
    ways.set(`${redirected.from} ${address}`, event);
  }
  return [...ways.values()];
}
