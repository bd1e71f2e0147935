/**
 * One day's messages in the name of one policy domain, added up as a report wants them (RFC 9990 §3.1.1.11): one row for all that
 * have everything in common. Bounded: what finds no room any more is counted, and told as such. Plain data that survives JSON.
 */

import type { AggregateRecord, PublishedPolicy } from './report.ts';

export interface DmarcTally {
  /** The last that was seen (RFC 9990 §3.1.4). */
  policy: PublishedPolicy;
  rows: AggregateRecord[];
  /** Messages for whose rows there was no room. */
  left: number;
}

export type CountedMessage = Omit<AggregateRecord, 'count'>;

/** Rows of one domain and day. */
export const maxRows = 2000;
/** Signatures of one row (RFC 9990 §3.1.3 would have 100). */
export const maxSignatures = 10;

export const emptyTally = (policy: PublishedPolicy): DmarcTally => ({ policy, rows: [], left: 0 });

/** Rows by what they have in common: a hot road must not search them one by one. */
const indexes = new WeakMap<DmarcTally, Map<string, AggregateRecord>>();

/** Whether there is a new row. Without room for one the message is counted all the same. */
export function addMessage(
  tally: DmarcTally,
  { policy, message, hasRoom }: { policy: PublishedPolicy; message: CountedMessage; hasRoom: boolean },
): boolean {
  tally.policy = policy;
  const index = indexOf(tally);
  const key = JSON.stringify(message);
  const known = index.get(key);
  if (known !== undefined) known.count += 1;
  else if (!hasRoom || tally.rows.length >= maxRows) tally.left += 1;
  else {
    const row = { ...message, count: 1 };
    tally.rows.push(row);
    index.set(key, row);
    return true;
  }
  return false;
}

function indexOf(tally: DmarcTally): Map<string, AggregateRecord> {
  const known = indexes.get(tally);
  if (known !== undefined) return known;
  const index = new Map(tally.rows.map((row) => [keyOf(row), row]));
  indexes.set(tally, index);
  return index;
}

/** `count` comes last in a row, and goes here. */
function keyOf({ count: _, ...message }: AggregateRecord): string {
  return JSON.stringify(message);
}

export const messagesIn = ({ rows, left }: DmarcTally): number =>
  rows.reduce((sum, { count }) => sum + count, left);
