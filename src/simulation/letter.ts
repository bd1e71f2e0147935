/** A message of a simulation, as the schedule and the store see it, and how it can end. */

import type { Outcome } from '../delivery/outcome.ts';
import type { Group } from '../queue/schedule.ts';
import type { JobRow } from '../store/job.ts';
import type { Waiting } from './backlog.ts';
import type { Party } from './party.ts';
import type { Tally } from './tally.ts';

/** A message for one recipient. */
export interface Letter extends Group, Waiting, JobRow {
  to: Party;
  firstTriedAt: number | undefined;
}

/** One that has just arrived, the `number`th of all. */
export function newLetter(
  party: Party,
  { number, queuedAt, lifetimeMs }: { number: number; queuedAt: number; lifetimeMs: number },
): Letter {
  const { script } = party.receiver;
  return {
    to: party,
    site: party.site,
    destination: script.domain,
    sender: `sender ${number % script.senders}`,
    queueId: '',
    number,
    recipient: script.domain,
    kind: 'remote',
    jobCount: 1,
    fresh: true,
    attempts: 0,
    queuedAt,
    nextAttemptAt: queuedAt,
    expiresAt: queuedAt + lifetimeMs,
    firstTriedAt: undefined,
  };
}

export type End = Parameters<Tally['closed']>[0];

export const endOf = ({ kind }: Outcome): End =>
  kind === 'delivered' ? 'delivered' : kind === 'failed' ? 'refused' : 'gaveUp';
