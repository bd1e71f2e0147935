/** The queue's jobs as administrators see and change them: walked through in bounded steps. */

import type { Database, Statement } from 'better-sqlite3';
import type { QueueFilter } from '../store.ts';
import type { Destinations } from './destinations.ts';
import type { EventLog } from './event-log.ts';
import type { Messages } from './messages.ts';
import type { JobName, ListedTuple, Operations, QueueStep } from './protocol.ts';
import { type JobTuple, jobColumns } from './rows.ts';

export type JobOperations = Pick<Operations, 'listJobs' | 'countAhead' | 'retryJobs' | 'dropJobs'>;

export interface JobsParts {
  log: EventLog;
  messages: Messages;
  destinations: Destinations;
}

export function createJobs(database: Database, { log, messages, destinations }: JobsParts): JobOperations {
  const { listed, unclaimed } = createSelections(database);
  const makeDue = database.prepare(
    'UPDATE jobs SET next_attempt_at = ? WHERE queue_id = ? AND number = ? AND next_attempt_at > ?',
  );
  const ahead = database
    .prepare<[JobName[0], JobName[1], number], number>(
      `SELECT count(*) FROM (
         SELECT 1 FROM (SELECT destination, next_attempt_at FROM jobs WHERE queue_id = ? AND number = ?) AS this
         JOIN jobs ON claimed_until IS NULL AND jobs.destination = this.destination
           AND jobs.next_attempt_at < this.next_attempt_at
         LIMIT ?)`,
    )
    .pluck();
  const remove = database.prepare('DELETE FROM jobs WHERE queue_id = ? AND number = ?');
  return {
    listJobs: listed,
    countAhead: ({ job, limit }) => ahead.get(...job, limit) ?? 0,
    retryJobs: ({ now, ...step }) => {
      const jobs = unclaimed(step);
      const names = jobs.map(([queueId, number]): JobName => [queueId, number]);
      for (const name of names) makeDue.run(now, ...name, now);
      for (const destination of destinationsOf(jobs)) destinations.note(destination, now);
      return names;
    },
    dropJobs: ({ event: [at, event, data], ...step }) => {
      const jobs = unclaimed({ ...step, after: undefined });
      for (const [queueId, number, recipient] of jobs) {
        remove.run(queueId, number);
        log.append([queueId, at, JSON.stringify([[at, event, data, recipient]]), []]);
      }
      for (const destination of destinationsOf(jobs)) destinations.removeIfEmpty(destination);
      const ids = new Set(jobs.map(([queueId]) => queueId));
      const spools = [...ids].flatMap((queueId) => messages.removeIfDone(queueId) ?? []);
      return { jobs, spools };
    },
  };
}

const destinationsOf = (jobs: readonly JobTuple[]): Set<string> =>
  new Set(jobs.map(([, , , , , destination]) => destination));

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

/** What waits for its destination too is tried when that is due. */
const listedColumns = jobColumns
  .replace('queue_id', 'job.queue_id')
  .replace('requests', 'job.requests')
  .replace(
    'next_attempt_at',
    `max(next_attempt_at, coalesce(
       (SELECT due_at FROM destinations WHERE destination = job.destination AND claimed_until IS NULL), 0))`,
  );

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
    sql: `SELECT ${listedColumns}, reverse_path, claimed_until IS NOT NULL
          FROM (${pages.join(' UNION ALL ')}) AS job JOIN messages ON messages.queue_id = job.queue_id
          ORDER BY job.queue_id, number LIMIT ?`,
    values: [...pages.flatMap(() => [...values, limit]), limit],
  };
}

function listedTuple(row: unknown[]): ListedTuple {
  const [reversePath, claimed] = row.slice(-2);
  return [row.slice(0, -2) as JobTuple, String(reversePath), claimed === 1];
}
