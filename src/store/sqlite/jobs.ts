/** The queue's jobs: claimed by lease when due, given back, and walked through in bounded steps for administrators. */

import type { Database, Statement } from 'better-sqlite3';
import type { QueueFilter } from '../store.ts';
import type { EventLog } from './event-log.ts';
import type { Messages } from './messages.ts';
import type { JobName, ListedTuple, Operations, QueueStep } from './protocol.ts';
import { type JobTuple, jobColumns, type MessageTuple, messageColumns } from './rows.ts';

export type JobOperations = Pick<
  Operations,
  'claim' | 'nextDue' | 'release' | 'listJobs' | 'retryJobs' | 'dropJobs'
>;

export function createJobs(database: Database, log: EventLog, messages: Messages): JobOperations {
  const nextDue = database
    .prepare<[], number>(
      'SELECT next_attempt_at FROM jobs WHERE claimed_until IS NULL ORDER BY next_attempt_at LIMIT 1',
    )
    .pluck();
  const release = database.prepare(
    `UPDATE jobs SET claimed_until = NULL, next_attempt_at = coalesce(?, next_attempt_at)
     WHERE queue_id = ? AND number = ?`,
  );

  return {
    claim: createClaim(database),
    nextDue: () => nextDue.get(),
    release: ({ jobs, nextAttemptAt = null }) => {
      for (const name of jobs) release.run(nextAttemptAt, ...name);
    },
    ...createWalks(database, log, messages),
  };
}

/** Voids the claims of earlier runs: how those attempts ended is not known. Returns how many there were. */
export function voidClaims(database: Database): number {
  return database
    .prepare('UPDATE jobs SET claimed_until = NULL, in_doubt = 1 WHERE claimed_until IS NOT NULL')
    .run().changes;
}

function createClaim(database: Database): Operations['claim'] {
  // A lease that ran out leaves its attempt in doubt, as a crash does.
  const voidExpired = database.prepare(
    'UPDATE jobs SET claimed_until = NULL, in_doubt = 1 WHERE claimed_until IS NOT NULL AND claimed_until <= ?',
  );
  const dueJobs = database
    .prepare<[number, number], JobTuple>(
      `SELECT ${jobColumns} FROM jobs WHERE claimed_until IS NULL AND next_attempt_at <= ?
       ORDER BY next_attempt_at, queue_id, number LIMIT ?`,
    )
    .raw();
  const lease = database.prepare('UPDATE jobs SET claimed_until = ? WHERE queue_id = ? AND number = ?');
  const messageOf = database
    .prepare<[string], MessageTuple>(`SELECT ${messageColumns} FROM messages WHERE queue_id = ?`)
    .raw();

  return ({ now, limit, leaseMs }) => {
    voidExpired.run(now);
    const jobs = dueJobs.all(now, limit);
    for (const [queueId, number] of jobs) lease.run(now + leaseMs, queueId, number);
    return Array.from(
      Map.groupBy(jobs, ([queueId]) => queueId),
      ([queueId, own]) => [required(messageOf.get(queueId), queueId), own],
    );
  };
}

function required(message: MessageTuple | undefined, queueId: string): MessageTuple {
  if (message === undefined) throw new Error(`Message ${queueId} has jobs but no row`);
  return message;
}

type Walks = Pick<Operations, 'listJobs' | 'retryJobs' | 'dropJobs'>;

function createWalks(database: Database, log: EventLog, messages: Messages): Walks {
  const { listed, unclaimed } = createSelections(database);
  const makeDue = database.prepare('UPDATE jobs SET next_attempt_at = ? WHERE queue_id = ? AND number = ?');
  const remove = database.prepare('DELETE FROM jobs WHERE queue_id = ? AND number = ?');
  return {
    listJobs: listed,
    retryJobs: ({ now, ...step }) => {
      const names = unclaimed(step).map(([queueId, number]): JobName => [queueId, number]);
      for (const name of names) makeDue.run(now, ...name);
      return names;
    },
    dropJobs: ({ event: [at, event, data], ...step }) => {
      const jobs = unclaimed(step);
      for (const [queueId, number, recipient] of jobs) {
        remove.run(queueId, number);
        log.append([queueId, at, JSON.stringify([[at, event, data, recipient]]), []]);
      }
      const ids = new Set(jobs.map(([queueId]) => queueId));
      const spools = [...ids].flatMap((queueId) => messages.removeIfDone(queueId) ?? []);
      return { jobs, spools };
    },
  };
}

interface Selections {
  /** Jobs, claimed or not. */
  listed(step: QueueStep): ListedTuple[];
  unclaimed(step: QueueStep): JobTuple[];
}

function createSelections(database: Database): Selections {
  // There are as many texts as combinations of filters.
  const prepared = new Map<string, Statement<unknown[], unknown[]>>();
  const select = ({ sql, values }: Condition): unknown[][] => {
    const statement = prepared.get(sql) ?? database.prepare<unknown[], unknown[]>(sql).raw();
    prepared.set(sql, statement);
    return statement.all(...values);
  };
  return {
    listed: (step) => select(listing(step)).map(listedTuple),
    // The columns are those of the tuple, in its order.
    unclaimed: (step) => select(waiting(step)) as JobTuple[],
  };
}

interface Condition {
  sql: string;
  values: unknown[];
}

function condition(filter: QueueFilter, after: JobName | undefined): Condition {
  const terms: [term: string, ...values: unknown[]][] = [['TRUE']];
  if (filter.queueId !== undefined) terms.push(['queue_id = ?', filter.queueId]);
  if (filter.destination !== undefined) terms.push(['destination = ?', filter.destination]);
  if (filter.recipient !== undefined) terms.push(['recipient = ?', filter.recipient]);
  if (after !== undefined) terms.push(['(queue_id, number) > (?, ?)', ...after]);
  return { sql: terms.map(([term]) => term).join(' AND '), values: terms.flatMap(([, ...values]) => values) };
}

function waiting({ filter, after, limit }: QueueStep): Condition {
  const { sql, values } = condition(filter, after);
  return {
    sql: `SELECT ${jobColumns} FROM jobs WHERE claimed_until IS NULL AND ${sql} ORDER BY queue_id, number LIMIT ?`,
    values: [...values, limit],
  };
}

/**
 * One page of jobs, claimed or not. The indexes by destination and recipient have the unclaimed ones only; the claimed
 * ones are few and are picked by their own index, so that no page has to walk a queue of a million.
 */
function listing({ filter, after, limit }: QueueStep): Condition {
  const { sql, values } = condition(filter, after);
  const page = (from: string, where: string) =>
    `SELECT * FROM (SELECT * FROM ${from} WHERE ${where} AND ${sql} ORDER BY queue_id, number LIMIT ?)`;
  const byName = filter.queueId !== undefined || (filter.destination ?? filter.recipient) === undefined;
  const pages = byName
    ? [page('jobs', 'TRUE')]
    : [
        page('jobs', 'claimed_until IS NULL'),
        page('jobs INDEXED BY jobs_claimed', 'claimed_until IS NOT NULL'),
      ];
  return {
    sql: `SELECT ${jobColumns.replace('queue_id', 'job.queue_id')}, reverse_path, claimed_until IS NOT NULL
          FROM (${pages.join(' UNION ALL ')}) AS job JOIN messages ON messages.queue_id = job.queue_id
          ORDER BY job.queue_id, number LIMIT ?`,
    values: [...pages.flatMap(() => [...values, limit]), limit],
  };
}

function listedTuple(row: unknown[]): ListedTuple {
  const [reversePath, claimed] = row.slice(-2);
  return [row.slice(0, -2) as JobTuple, String(reversePath), claimed === 1];
}
