/**
 * A row for each destination that has jobs waiting: when the next may be claimed, and how many at once. A destination
 * that is down, or has more mail than it takes, is this one row that waits, be there a million jobs behind it.
 *
 * For every unclaimed job there is its destination's row, and `due_at` is no later than the earliest of these jobs, or
 * than the moment until which the destination is held. A row that is due too early, or without a job, does no harm: the
 * next claim finds nothing there and puts it right.
 */

import type { Database } from 'better-sqlite3';

/** Jobs of one destination that a claim takes: at first, and after each hold, one; then twice as many each time. */
export const firstShare = 1;
export const largestShare = 128;

/** After the first one, so long for a look at how it fares: what is claimed in vain has to be given back. */
const firstRestMs = 1000;

/** The pause after a claim of so many. */
export const restMs = (share: number): number => (share === firstShare ? firstRestMs : 0);

/**
 * So many jobs of a claim may be ones whose time is over: those that come first may find no room again and again, and
 * nobody else is to wait for them.
 */
export const mostExpired = (limit: number): number => Math.ceil(limit / 2);

/**
 * Of so many jobs of one destination that are claimed, these are the ones that became due last; the others have waited
 * longest. So one sender's backlog does not keep waiting whoever has a letter for the same destination now and then.
 */
export const newestOf = (claimed: number): number => Math.floor(claimed / 2);

/** The destination of local jobs. */
export const ourselves = '';

export type DueDestination = [destination: string, share: number];

export interface Destinations {
  /** A job of it may be claimed at that moment. */
  note(destination: string, dueAt: number): void;
  /** No job of it is claimed before that moment, and then one to see how it goes. */
  hold(destination: string, until: number): void;
  /** The same, unless it is to wait for longer anyway. */
  holdAtLeast(destination: string, until: number): void;
  /** Some of those that are held until exactly that moment may be claimed from now; returns how many. */
  unhold(heldUntil: number, now: number, limit: number): number;
  /** All that have jobs, waiting or under way, in order. */
  list(after: string | undefined, limit: number): string[];
  /** The destinations that are due, the longest waiting first. */
  due(now: number, limit: number): DueDestination[];
  /** Jobs of it were claimed; the earliest left is due at `nextAt`, if there is one, but is claimed no sooner than `from`. */
  claimed(destination: string, nextAt: number | undefined, from: number): void;
  /** Its jobs were taken away, maybe all. */
  removeIfEmpty(destination: string): void;
  /** The earliest moment at which one is due. */
  next(): number | undefined;
}

export function createDestinations(database: Database): Destinations {
  const upsert = (change: string) =>
    database.prepare(
      `INSERT INTO destinations (destination, due_at, share) VALUES (?, ?, ${firstShare})
       ON CONFLICT (destination) DO UPDATE SET ${change}`,
    );
  const note = upsert('due_at = min(due_at, excluded.due_at)');
  const hold = upsert('due_at = excluded.due_at, share = excluded.share');
  const holdAtLeast = upsert('due_at = max(due_at, excluded.due_at), share = excluded.share');
  const due = database
    .prepare<[number, number], DueDestination>(
      'SELECT destination, share FROM destinations WHERE due_at <= ? ORDER BY due_at LIMIT ?',
    )
    .raw();
  const goOn = database.prepare(
    `UPDATE destinations SET due_at = ?, share = min(2 * share, ${largestShare}) WHERE destination = ?`,
  );
  const unhold = database.prepare(
    `UPDATE destinations SET due_at = ? WHERE destination IN
       (SELECT destination FROM destinations WHERE due_at = ? LIMIT ?)`,
  );
  const list = database
    .prepare<[string, string, number], string>(
      `SELECT destination FROM destinations WHERE destination > ? UNION
       SELECT destination FROM jobs INDEXED BY jobs_claimed WHERE claimed_until IS NOT NULL AND destination > ?
       ORDER BY destination LIMIT ?`,
    )
    .pluck();
  const remove = database.prepare('DELETE FROM destinations WHERE destination = ?');
  const removeIfEmpty = database.prepare(
    `DELETE FROM destinations WHERE destination = ? AND NOT EXISTS
       (SELECT 1 FROM jobs WHERE claimed_until IS NULL AND destination = ?)`,
  );
  const next = database
    .prepare<[], number>('SELECT due_at FROM destinations ORDER BY due_at LIMIT 1')
    .pluck();

  return {
    note: (destination, dueAt) => void note.run(destination, dueAt),
    hold: (destination, until) => void hold.run(destination, until),
    holdAtLeast: (destination, until) => void holdAtLeast.run(destination, until),
    unhold: (heldUntil, now, limit) => unhold.run(now, heldUntil, limit).changes,
    // Before the first letter of any domain, but not before local delivery, which is ''.
    list: (after, limit) =>
      after === undefined ? [ourselves, ...list.all('', '', limit - 1)] : list.all(after, after, limit),
    due: (now, limit) => due.all(now, limit),
    claimed(destination, nextAt, from) {
      if (nextAt === undefined) remove.run(destination);
      // Behind those that have been due for longer: each has its turn before this one comes again.
      else goOn.run(Math.max(nextAt, from), destination);
    },
    removeIfEmpty: (destination) => void removeIfEmpty.run(destination, destination),
    next: () => next.get(),
  };
}
