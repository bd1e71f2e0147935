/** Follows a message through the queue until each of its recipients has an outcome, or patience ends. */

import type { Admin } from '../admin/admin.ts';
import type { DossierEvent } from '../dossier/event.ts';
import { type RecipientSummary, summarise } from '../dossier/summary.ts';
import { type Clock, sleep } from '../util/clock.ts';
import { keyOf } from './address-key.ts';

export interface Followed {
  events: DossierEvent[];
  /** Who has no outcome yet is `underway`. */
  summaries: RecipientSummary[];
  /** Something of it still waits. */
  inQueue: boolean;
}

export interface FollowOptions {
  queueId: string;
  recipients: readonly string[];
  timeoutMs: number;
  clock: Clock;
}

const pauseMs = 100;

export async function follow(
  admin: Admin,
  { queueId, recipients, timeoutMs, clock }: FollowOptions,
): Promise<Followed> {
  const giveUpAt = clock.now() + timeoutMs;
  for (;;) {
    // In this order: what leaves the queue between the two questions has its events by the second.
    const waiting = await admin.listQueue({ queueId, limit: 1 });
    const events = await admin.trace({ subject: queueId, limit: 1 });
    const summaries = withSilent(summarise(events), recipients);
    const decided = summaries.every(({ state }) => state !== 'underway');
    const inQueue = waiting.jobs.length > 0;
    if (decided || !inQueue || clock.now() >= giveUpAt) return { events, summaries, inQueue };
    await sleep(clock, pauseMs);
  }
}

/** Adds the recipients that no event names yet. One may be in another's `original`: an alias, or `postmaster`. */
function withSilent(
  summaries: readonly RecipientSummary[],
  recipients: readonly string[],
): RecipientSummary[] {
  const named = new Set(
    summaries.flatMap(({ recipient, original = recipient }) => [keyOf(recipient), keyOf(original)]),
  );
  const silent = recipients.filter((recipient) => !named.has(keyOf(recipient)));
  return [...summaries, ...silent.map((recipient) => ({ recipient, state: 'underway' as const }))];
}
