/**
 * Rows of our tables, told by their shape: of a page that has lost its way to the root, nothing else says which table it
 * belongs to. The shapes follow from schema.ts; a test salvages all tables, so that they cannot drift.
 */

import { z } from 'zod';
import type { SqlRecord, SqlValue } from '../pages/record.ts';
import { type JobTuple, jobColumns, type MessageTuple, messageColumns } from '../rows.ts';

export type Table = 'messages' | 'jobs' | 'accounts' | 'aliases' | 'events';

/** Where a row lies: in the leaf of a table with rowids, or in a table that is its own index. */
export type Home = 'table' | 'index';

/** A queue id; also what may be a file name without leaving its directory. */
const name = z.string().regex(/^[0-9A-Za-z_-]+$/);
const address = z.string().includes('@');
const text = z.string();
const whole = z.int();

const shapes: Record<Table, { home: Home; columns: readonly number[]; start: z.ZodType }> = {
  messages: {
    home: 'table',
    // Those of version 1 have no sums.
    columns: [count(messageColumns) - 2, count(messageColumns)],
    start: z.tuple([name, whole, text], z.unknown()),
  },
  jobs: {
    home: 'index',
    // `claimed_until` is not in the tuple.
    columns: [count(jobColumns) + 1],
    start: z.tuple([name, whole, text, text.nullable(), z.enum(['local', 'remote'])], z.unknown()),
  },
  accounts: { home: 'table', columns: [5], start: z.tuple([z.null(), address, text, text, whole]) },
  aliases: { home: 'index', columns: [2], start: z.tuple([address, text.startsWith('[')]) },
  events: { home: 'table', columns: [4], start: z.tuple([z.null(), name, whole], z.unknown()) },
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
    if (shape.home !== home || !shape.columns.includes(columns) || !shape.start.safeParse(values).success)
      continue;
    return { table, key: String(values[keys[table]]) };
  }
  return undefined;
}

const flag = z.union([z.literal(0), z.literal(1)]);

const messageShape: z.ZodType<MessageTuple> = z.tuple([
  name,
  whole,
  text,
  text.nullable(),
  text.nullable(),
  whole,
  flag,
  flag,
  z.enum(['sender', 'postmaster', 'nobody']),
  name.nullable(),
  whole,
  z.instanceof(Buffer),
  whole.nullable(),
  whole.nullable(),
]);

const jobShape: z.ZodType<JobTuple> = z.tuple([
  name,
  whole,
  text,
  text.nullable(),
  z.enum(['local', 'remote']),
  text,
  z.enum(['Inbox', 'Junk']).nullable(),
  whole,
  whole,
  whole,
  whole,
  text.nullable(),
  flag,
]);

/** Undefined where a column is not what it should be. */
export function messageOf({ columns, values }: SqlRecord): MessageTuple | undefined {
  const sums: SqlValue[] = columns === count(messageColumns) ? [] : [null, null];
  return messageShape.safeParse([...values, ...sums]).data;
}

/** The job, in doubt if it was claimed. Undefined where a column is not what it should be. */
export function jobOf({ values }: SqlRecord): JobTuple | undefined {
  const job = jobShape.safeParse(values.slice(0, count(jobColumns))).data;
  const isClaimed = values[count(jobColumns)] !== null;
  if (job !== undefined && isClaimed) job[12] = 1;
  return job;
}
