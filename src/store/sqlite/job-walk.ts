/**
 * A bounded walk over the queue in the order of names. A step looks at so many jobs at most, found by the narrowest index
 * that the filter allows, and keeps those that match all of it: what no index knows (a sender, an age) costs steps, but
 * mail that comes in waits for one of them at most.
 */

import type { Database, Statement } from 'better-sqlite3';
import { firstIdAt } from '../../util/queue-id.ts';
import type { JobState } from '../job.ts';
import { never } from '../never.ts';
import type { QueueCounts, QueueFilter } from '../queue-store.ts';
import type { JobName, ListedTuple, QueueStep } from './protocol.ts';
import { type JobTuple, jobColumns } from './rows.ts';

/** Jobs that one step looks at. */
export const scanStep = 5_000;

/** Queue ids tell when a message began to come in, by this server's clock: so far from `queued_at` at most, ms. */
const idSlackMs = 86_400_000;

export interface JobWalk {
  /** Matching jobs, claimed or not. */
  listed(step: QueueStep): Walked<ListedTuple>;
  /** Matching jobs that are not claimed. */
  unclaimed(step: QueueStep): Walked<JobTuple>;
  /** How many match, of those that one step looks at. */
  counted(step: Omit<QueueStep, 'limit'>): { counts: QueueCounts; next: JobName | undefined };
}

export interface Walked<Row> {
  jobs: Row[];
  /** Where to go on; absent at the end. */
  next?: JobName;
}

interface Condition {
  sql: string;
  values: unknown[];
}

export function createJobWalk(database: Database): JobWalk {
  // There are as many texts as combinations of filters.
  const prepared = new Map<string, Statement<unknown[], unknown[]>>();
  const select = ({ sql, values }: Condition): unknown[][] => {
    const statement = prepared.get(sql) ?? database.prepare<unknown[], unknown[]>(sql).raw();
    prepared.set(sql, statement);
    return statement.all(...values);
  };

  /** The last job that the step looks at, where there may be more behind it. */
  function lastSeen(page: Condition): JobName | undefined {
    const sql = `SELECT queue_id, number FROM (${page.sql}) ORDER BY queue_id, number LIMIT 1 OFFSET ${scanStep - 1}`;
    const [last] = select({ sql, values: page.values });
    return last && [String(last[0]), Number(last[1])];
  }

  function walk<Row>(
    { filter, after, limit }: Step,
    columns: string,
    nameOf: (row: unknown[]) => JobName,
    read: (row: unknown[]) => Row,
  ): Walked<Row> {
    const page = pageOf(filter, after);
    const rest = restOf(filter);
    const rows = select({
      sql: `SELECT ${columns} FROM (${page.sql}) AS job JOIN messages ON messages.queue_id = job.queue_id
            WHERE ${rest.sql} ORDER BY job.queue_id, number LIMIT ?`,
      values: [...page.values, ...rest.values, limit],
    });
    const last = rows.at(-1);
    const next = last && rows.length === limit ? nameOf(last) : lastSeen(page);
    const jobs = rows.map(read);
    return next === undefined ? { jobs } : { jobs, next };
  }

  return {
    listed: (step) => walk(step, listedColumns, nameOfTuple, listedTuple),
    unclaimed: (step) =>
      // The columns are those of the tuple, in its order.
      walk(onlyUnclaimed(step), qualified(jobColumns), nameOfTuple, (row) => row as JobTuple),
    counted({ filter, after }) {
      const page = pageOf(filter, after);
      const rest = restOf(filter);
      const [row] = select({
        sql: `SELECT ${countColumns} FROM (${page.sql}) AS job JOIN messages ON messages.queue_id = job.queue_id
              WHERE ${rest.sql}`,
        values: [...page.values, ...rest.values],
      });
      const [waiting = 0, held = 0, underway = 0] = (row ?? []).map(Number);
      return { counts: { waiting, held, underway }, next: lastSeen(page) };
    },
  };
}

const onlyUnclaimed = (step: QueueStep): Step => ({ ...step, filter: { ...step.filter, unclaimed: true } });

const nameOfTuple = (row: unknown[]): JobName => [String(row[0]), Number(row[1])];

/** Messages too have these. */
const qualified = (columns: string): string => columns.replace(/\b(queue_id|requests)\b/g, 'job.$1');

/** What waits for its destination too is tried when that is due. */
const listedColumns = `${qualified(jobColumns).replace(
  'next_attempt_at',
  `max(next_attempt_at, coalesce(
       (SELECT due_at FROM destinations WHERE destination = job.destination AND claimed_until IS NULL), 0))`,
)}, reverse_path, claimed_until IS NOT NULL`;

function listedTuple(row: unknown[]): ListedTuple {
  const [reversePath, claimed] = row.slice(-2);
  // The columns of a job come first, in the order of JobTuple.
  return [row.slice(0, -2) as JobTuple, String(reversePath), claimed === 1];
}

const stateTerms: Record<JobState, string> = {
  waiting: `claimed_until IS NULL AND expires_at < ${never}`,
  held: `claimed_until IS NULL AND expires_at = ${never}`,
  underway: 'claimed_until IS NOT NULL',
};

const countColumns = (['waiting', 'held', 'underway'] as const)
  .map((state) => `coalesce(sum(${stateTerms[state]}), 0)`)
  .join(', ');

type StepFilter = QueueFilter & { unclaimed?: boolean };
type Step = Omit<QueueStep, 'filter'> & { filter: StepFilter };

/**
 * The jobs that a step looks at, in order. The indexes by destination, recipient and end have the unclaimed ones only; the
 * claimed ones are few and are picked by their own index, so that no page has to walk a queue of a million.
 */
function pageOf(filter: StepFilter, after: JobName | undefined): Condition {
  const { sql, values } = termsOf(filter, after);
  const page = (from: string, where: string) =>
    `SELECT * FROM (SELECT * FROM ${from} WHERE ${where} AND ${sql} ORDER BY queue_id, number LIMIT ${scanStep})`;
  const claimed = () => page('jobs INDEXED BY jobs_claimed', stateTerms.underway);
  if (filter.state === 'underway') return { sql: claimed(), values };
  // Held jobs all end at the same moment: of that index, they are one stretch in the order of names.
  if (filter.state === 'held' && (filter.destination ?? filter.recipient ?? filter.queueId) === undefined)
    return { sql: page('jobs INDEXED BY jobs_expiring', stateTerms.held), values };
  if (filter.unclaimed || filter.state !== undefined)
    return { sql: page('jobs', stateTerms[filter.state ?? 'waiting'].replace(/ AND expires.*/, '')), values };
  const byName = filter.queueId !== undefined || (filter.destination ?? filter.recipient) === undefined;
  if (byName) return { sql: page('jobs', 'TRUE'), values };
  return {
    sql: `SELECT * FROM (${page('jobs', 'claimed_until IS NULL')} UNION ALL ${claimed()})
          ORDER BY queue_id, number LIMIT ${scanStep}`,
    values: [...values, ...values],
  };
}

type Term = [term: string, ...values: unknown[]];

const joined = (terms: readonly Term[]): Condition => ({
  sql: ['TRUE', ...terms.map(([term]) => term)].join(' AND '),
  values: terms.flatMap(([, ...values]) => values),
});

/** What an index answers. */
function termsOf(filter: StepFilter, after: JobName | undefined): Condition {
  const { queueId, destination, recipient, queuedBefore, queuedAfter } = filter;
  const terms: Term[] = [];
  if (queueId !== undefined) terms.push(['queue_id = ?', queueId]);
  if (destination !== undefined) terms.push(['destination = ?', destination]);
  if (recipient !== undefined) terms.push(['recipient = ?', recipient]);
  if (queuedBefore !== undefined) terms.push(['queue_id < ?', firstIdAt(queuedBefore + idSlackMs)]);
  if (queuedAfter !== undefined) terms.push(['queue_id >= ?', firstIdAt(queuedAfter - idSlackMs)]);
  if (after !== undefined) terms.push(['(queue_id, number) > (?, ?)', ...after]);
  return joined(terms);
}

/** What is looked at in each job. */
function restOf(filter: StepFilter): Condition {
  const { sender, submitter, heldBy, notHeldBy, queuedBefore, queuedAfter, state, localDomain, unclaimed } =
    filter;
  const terms: Term[] = [];
  if (unclaimed) terms.push(['claimed_until IS NULL']);
  if (localDomain !== undefined) {
    terms.push([
      `destination = '' AND substr(recipient, -length(?)) = ? COLLATE NOCASE`,
      `@${localDomain}`,
      `@${localDomain}`,
    ]);
  }
  if (sender !== undefined) terms.push(['reverse_path = ? COLLATE NOCASE', sender]);
  if (submitter !== undefined) terms.push(['submitter = ?', submitter]);
  if (heldBy !== undefined) terms.push(["job.memo ->> '$.held.by' = ?", heldBy]);
  if (notHeldBy !== undefined) terms.push(["job.memo ->> '$.held.by' is not ?", notHeldBy]);
  if (queuedBefore !== undefined) terms.push(['queued_at <= ?', queuedBefore]);
  if (queuedAfter !== undefined) terms.push(['queued_at >= ?', queuedAfter]);
  if (state !== undefined) terms.push([stateTerms[state]]);
  return joined(terms);
}
