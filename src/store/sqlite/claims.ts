/**
 * Jobs as they are taken out by lease when they are due, and given back. Which of a million waiting ones are due is
 * asked of their destinations (destinations.ts), never of the jobs themselves.
 */

import type { Database } from 'better-sqlite3';
import { type Destinations, mostExpired, newestOf, ourselves, restMs } from './destinations.ts';
import { untilRestart } from './messages.ts';
import type { Operations } from './protocol.ts';
import { type JobTuple, jobColumns, type MessageTuple, messageColumns } from './rows.ts';

export type ClaimOperations = Pick<Operations, 'claim' | 'nextDue' | 'release' | 'postpone'>;

export function createClaims(database: Database, destinations: Destinations): ClaimOperations {
  const firstToExpire = database
    .prepare<[], number>(
      'SELECT expires_at FROM jobs WHERE claimed_until IS NULL ORDER BY expires_at LIMIT 1',
    )
    .pluck();
  const firstLeaseEnd = database
    .prepare<[number], number>(
      'SELECT claimed_until FROM jobs WHERE claimed_until IS NOT NULL AND claimed_until < ? ORDER BY claimed_until LIMIT 1',
    )
    .pluck();
  const release = database
    .prepare<[number, string, number], [destination: string, nextAttemptAt: number]>(
      `UPDATE jobs SET claimed_until = NULL, in_doubt = ? WHERE queue_id = ? AND number = ?
       RETURNING destination, next_attempt_at`,
    )
    .raw();

  const postpone = database
    .prepare<[number, number, string, number], [destination: string, nextAttemptAt: number]>(
      `UPDATE jobs SET claimed_until = NULL, in_doubt = ?, next_attempt_at = max(next_attempt_at, ?)
       WHERE queue_id = ? AND number = ?
       RETURNING destination, next_attempt_at`,
    )
    .raw();

  return {
    claim: createClaim(database, destinations),
    nextDue() {
      const leaseEnd = firstLeaseEnd.get(untilRestart) ?? Infinity;
      const next = Math.min(destinations.next() ?? Infinity, firstToExpire.get() ?? Infinity, leaseEnd);
      return next === Infinity ? undefined : next;
    },
    release({ jobs, holdUntil }) {
      for (const [queueId, number, inDoubt] of jobs) {
        const [destination, nextAttemptAt] = release.get(inDoubt, queueId, number) ?? [];
        if (destination === undefined || nextAttemptAt === undefined) continue; // dropped meanwhile
        if (holdUntil === undefined) destinations.note(destination, nextAttemptAt);
        else destinations.hold(destination, holdUntil);
      }
    },
    postpone({ jobs, until }) {
      for (const [queueId, number, inDoubt] of jobs) {
        const [destination, nextAttemptAt] = postpone.get(inDoubt, until, queueId, number) ?? [];
        if (destination !== undefined && nextAttemptAt !== undefined)
          destinations.note(destination, nextAttemptAt);
      }
    },
  };
}

/** Voids the claims of earlier runs: how those attempts ended is not known. Returns how many there were. */
export function voidClaims(database: Database, destinations: Destinations): number {
  const voidUntil = createVoiding(database, destinations);
  // Together, or a power cut in between leaves jobs that no destination leads to.
  return database.transaction(() => voidUntil(untilRestart))();
}

/** Voids the claims that last no longer than some moment; returns how many there were. */
function createVoiding(database: Database, destinations: Destinations): (until: number) => number {
  const voidUntil = database
    .prepare<[number], [destination: string, nextAttemptAt: number]>(
      `UPDATE jobs SET claimed_until = NULL, in_doubt = 1 WHERE claimed_until IS NOT NULL AND claimed_until <= ?
       RETURNING destination, next_attempt_at`,
    )
    .raw();
  return (until) => {
    const voided = voidUntil.all(until);
    for (const [destination, nextAttemptAt] of voided) destinations.note(destination, nextAttemptAt);
    return voided.length;
  };
}

function createClaim(database: Database, destinations: Destinations): Operations['claim'] {
  // A lease that ran out leaves its attempt in doubt, as a crash does.
  const voidExpired = createVoiding(database, destinations);
  const messageOf = database
    .prepare<[string], MessageTuple>(`SELECT ${messageColumns} FROM messages WHERE queue_id = ?`)
    .raw();
  const take = createTaking(database, destinations);

  const takeNamed = createTakingByName(database);

  return ({ now, limit, leaseMs, byShares = false, only }) => {
    voidExpired(now);
    const leaseEnd = now + leaseMs;
    const jobs = only ? takeNamed(only.slice(0, limit), leaseEnd) : take({ now, limit, leaseEnd, byShares });
    return Array.from(
      Map.groupBy(jobs, ([queueId]) => queueId),
      ([queueId, own]) => [required(messageOf.get(queueId), queueId), own.sort(([, a], [, b]) => a - b)],
    );
  };
}

function createTakingByName(
  database: Database,
): (names: readonly { queueId: string; number: number }[], leaseEnd: number) => JobTuple[] {
  const take = database
    .prepare<[number, string, number], JobTuple>(
      `UPDATE jobs SET claimed_until = ? WHERE queue_id = ? AND number = ? AND claimed_until IS NULL
       RETURNING ${jobColumns}`,
    )
    .raw();
  return (names, leaseEnd) =>
    names.flatMap(({ queueId, number }) => {
      const job = take.get(leaseEnd, queueId, number);
      return job === undefined ? [] : [job];
    });
}

type Taking = (order: { now: number; limit: number; leaseEnd: number; byShares: boolean }) => JobTuple[];

/** First those whose time is over, also of destinations that are held: somebody waits to be told. */
function createTaking(database: Database, destinations: Destinations): Taking {
  const expired = database
    .prepare<[number, number], JobTuple>(
      `SELECT ${jobColumns} FROM jobs WHERE claimed_until IS NULL AND expires_at <= ? ORDER BY expires_at LIMIT ?`,
    )
    .raw();
  const dueIn = (order: string) =>
    database
      .prepare<[string, number, number], JobTuple>(
        `SELECT ${jobColumns} FROM jobs WHERE claimed_until IS NULL AND destination = ? AND next_attempt_at <= ?
         ORDER BY ${order} LIMIT ?`,
      )
      .raw();
  const oldestOf = dueIn('next_attempt_at, queue_id, number');
  const latestOf = dueIn('next_attempt_at DESC, queue_id DESC, number DESC');
  const nextOf = database
    .prepare<[string], number>(
      `SELECT next_attempt_at FROM jobs WHERE claimed_until IS NULL AND destination = ?
       ORDER BY next_attempt_at LIMIT 1`,
    )
    .pluck();
  const lease = database.prepare('UPDATE jobs SET claimed_until = ? WHERE queue_id = ? AND number = ?');

  return ({ now, limit, leaseEnd, byShares }) => {
    const taken = (jobs: JobTuple[]) => {
      for (const [queueId, number] of jobs) lease.run(leaseEnd, queueId, number);
      return jobs;
    };
    const all = taken(expired.all(now, mostExpired(limit)));
    for (const [destination, share] of destinations.due(now, limit - all.length)) {
      const left = limit - all.length;
      if (left === 0) break;
      // Our own mailboxes need no trial.
      const bySteps = byShares && destination !== ourselves;
      const count = bySteps ? Math.min(share, left) : left;
      const newest = bySteps ? newestOf(count) : 0;
      all.push(...taken(oldestOf.all(destination, now, count - newest)));
      if (newest > 0) all.push(...taken(latestOf.all(destination, now, newest)));
      destinations.claimed(destination, nextOf.get(destination), bySteps ? now + restMs(share) : now);
    }
    return all;
  };
}

function required(message: MessageTuple | undefined, queueId: string): MessageTuple {
  if (message === undefined) throw new Error(`Message ${queueId} has jobs but no row`);
  return message;
}
