/**
 * Rows of our tables, told by their shape: of a page that has lost its way to the root, nothing else says which table it
 * belongs to. The shapes follow from schema.ts; a test salvages all tables, so that they cannot drift.
 */

import * as v from 'valibot';
import type { SqlRecord, SqlValue } from '../pages/record.ts';
import { type JobTuple, jobColumns, type MessageTuple, messageColumns } from '../rows.ts';

export type Table = 'messages' | 'jobs' | 'accounts' | 'aliases' | 'events';

/** Where a row lies: in the leaf of a table with rowids, or in a table that is its own index. */
export type Home = 'table' | 'index';

/** A queue id; also what may be a file name without leaving its directory. */
const name = v.pipe(v.string(), v.regex(/^[0-9A-Za-z_-]+$/));
const address = v.pipe(v.string(), v.includes('@'));
const text = v.string();
const whole = v.pipe(v.number(), v.safeInteger());

const shapes: Record<Table, { home: Home; columns: readonly number[]; start: v.GenericSchema }> = {
  messages: {
    home: 'table',
    // Rows keep the columns that they were written with: without sums in version 1, without requests before version 5,
    // without traceparent before version 8.
    columns: [4, 2, 1, 0].map((missing) => count(messageColumns) - missing),
    start: v.looseTuple([name, whole, text]),
  },
  jobs: {
    home: 'index',
    // With `claimed_until`, which is not in the tuple: two columns came with version 5, one with version 6.
    columns: [count(jobColumns) - 2, count(jobColumns), count(jobColumns) + 1],
    start: v.looseTuple([name, whole, text, v.nullable(text), v.picklist(['local', 'remote'])]),
  },
  accounts: {
    home: 'table',
    // Two came with version 6.
    columns: [5, 7],
    start: v.looseTuple([v.null(), address, text, text, whole]),
  },
  aliases: { home: 'index', columns: [2], start: v.strictTuple([address, v.pipe(text, v.startsWith('['))]) },
  events: { home: 'table', columns: [4], start: v.looseTuple([v.null(), name, whole]) },
};

/** Which column is the key by which a row is known here. */
const keys: Record<Table, number> = { messages: 0, jobs: 0, accounts: 1, aliases: 0, events: 1 };

function count(columns: string): number {
  return columns.split(',').length;
}

/**
 * Which table a row is of, and its key there. The end of a long row need not be known. Undefined for rows of other
 * tables, and for what makes no sense.
 */
export function recognise(
  home: Home,
  { columns, values }: SqlRecord,
): { table: Table; key: string } | undefined {
  for (const table of Object.keys(shapes) as Table[]) {
    const shape = shapes[table];
    if (shape.home !== home || !shape.columns.includes(columns) || !v.is(shape.start, values)) continue;
    return { table, key: String(values[keys[table]]) };
  }
  return undefined;
}

/** Where `claimed_until` stands in the row of a job. */
const claimedUntil = jobColumns.split(', ').indexOf('in_doubt') + 1;

const spoolSumAt = messageColumns.split(', ').indexOf('spool_sum');

const flag = v.picklist([0, 1]);

const messageShape: v.GenericSchema<MessageTuple> = v.strictTuple([
  name,
  whole,
  text,
  v.nullable(text),
  v.nullable(text),
  whole,
  flag,
  flag,
  v.picklist(['sender', 'postmaster', 'nobody']),
  v.nullable(name),
  whole,
  v.instance(Buffer),
  v.nullable(whole),
  v.nullable(whole),
  v.nullable(text),
  v.nullable(text),
]);

const jobShape: v.GenericSchema<JobTuple> = v.strictTuple([
  name,
  whole,
  text,
  v.nullable(text),
  v.picklist(['local', 'remote']),
  text,
  v.nullable(v.picklist(['Inbox', 'Junk'])),
  whole,
  whole,
  whole,
  whole,
  v.nullable(text),
  flag,
  v.nullable(text),
  v.nullable(text),
  v.nullable(text),
]);

/** What is asked for beyond delivery is of less worth than the message: text that makes no sense is no reason to lose it. */
export function jsonOrNull(value: SqlValue): SqlValue {
  if (typeof value !== 'string') return null;
  try {
    JSON.parse(value);
    return value;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Undefined where a column is not what it should be. */
export function messageOf({ values }: SqlRecord): MessageTuple | undefined {
  const [spoolSum = null, requests = null, traceparent = null] = values.slice(spoolSumAt);
  const [octetsSum = null] = values.slice(spoolSumAt - 1);
  const tuple = [...values.slice(0, spoolSumAt - 1), octetsSum, spoolSum, jsonOrNull(requests), traceparent];
  return v.is(messageShape, tuple) ? tuple : undefined;
}

/** The job, in doubt if it was claimed. Undefined where a column is not what it should be. */
export function jobOf({ values }: SqlRecord): JobTuple | undefined {
  const [requests = null, memo = null, verdict = null] = values.slice(claimedUntil + 1);
  const job = [...values.slice(0, claimedUntil), jsonOrNull(requests), jsonOrNull(memo), verdict];
  if (!v.is(jobShape, job)) return undefined;
  const isClaimed = values[claimedUntil] !== null;
  if (isClaimed) job[12] = 1;
  return job;
}
