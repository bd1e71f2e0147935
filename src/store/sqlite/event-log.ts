/**
 * The log of events: appended to by everything that happens, read by `trace`, cut at its old end. How entries, their
 * positions and the groups of keys lie in the tables is told in schema.ts.
 */

import type { Database } from 'better-sqlite3';
import type { Retention, TraceQuery } from '../event-store.ts';
import { searchKey } from './entries.ts';
import { bucketOf, createEventKeys, type EventKeys } from './event-keys.ts';
import type { EntryTuple, Operations } from './protocol.ts';
import { createRecentKeys, type RecentKeys } from './recent-keys.ts';
import { createSentIds } from './sent-ids.ts';

/** Entries that are looked at in one step of pruning. */
const pruneStep = 500;

export interface EventLog
  extends Pick<Operations, 'trace' | 'isSentFromHere' | 'readEntries' | 'pruneEvents'> {
  append(entry: EntryTuple): void;
  readonly keys: EventKeys;
  /** Brings the keys of all entries into their groups. */
  groupKeys(): void;
  /** The groups of keys that exist, or undefined when the log is empty. */
  buckets(): { oldest: number; newest: number } | undefined;
}

export function createEventLog(database: Database): EventLog {
  const insertEntry = database.prepare(
    'INSERT INTO events (id, queue_id, last_at, data) VALUES (?, ?, ?, ?)',
  );
  const oldestEntry = database.prepare<[], number | null>('SELECT min(id) FROM events').pluck();
  const newestEntries = database
    .prepare<[number, number], [number, string, string]>(
      'SELECT id, queue_id, data FROM events WHERE id < ? ORDER BY id DESC LIMIT ?',
    )
    .raw();
  const keys = createEventKeys(database);
  const sentIds = createSentIds(database);
  const recent = createRecentKeys(database, [keys, sentIds]);
  let position = lastPosition(database);

  function append([queueId, lastAt, data, foundBy, sentId]: EntryTuple): void {
    position += Buffer.byteLength(data);
    insertEntry.run(position, queueId, lastAt, data);
    if (foundBy.length > 0 || sentId !== undefined) recent.add(position, foundBy, sentId);
  }

  function buckets() {
    const oldest = oldestEntry.get() ?? undefined;
    return oldest === undefined ? undefined : { oldest: bucketOf(oldest), newest: bucketOf(position) };
  }

  return {
    append,
    keys,
    groupKeys: recent.move,
    buckets,
    trace: createTrace(database, { keys, recent, buckets }),
    isSentFromHere(messageId) {
      const key = searchKey(messageId);
      return recent.isSent(key) || sentIds.has(key, oldestEntry.get() ?? position, position);
    },
    readEntries: ({ before, limit }) => newestEntries.all(before, limit),
    pruneEvents: createPruning(database, [keys, sentIds], () => position),
  };
}

/** Where the log ends. Keys count too: those of an entry that is gone must not come to belong to a new one. */
function lastPosition(database: Database): number {
  const ends = [
    'SELECT max(id) FROM events',
    'SELECT max(entry) FROM recent_keys',
    'SELECT max(entry) FROM event_keys WHERE bucket = (SELECT max(bucket) FROM event_keys)',
  ].map((sql) => database.prepare<[], number | null>(sql).pluck().get());
  return Math.max(...ends.map((end) => end ?? 0));
}

function createTrace(
  database: Database,
  { keys, recent, buckets }: Pick<EventLog, 'keys' | 'buckets'> & { recent: RecentKeys },
): Operations['trace'] {
  const entriesOfMessage = database
    .prepare<[string], [string, string]>('SELECT queue_id, data FROM events WHERE queue_id = ? ORDER BY id')
    .raw();
  const newestMessages = database.prepare<[], string>('SELECT queue_id FROM events ORDER BY id DESC').pluck();

  function* found(key: string): Iterable<string> {
    yield* recent.messagesBy(key);
    const range = buckets();
    if (range === undefined) return;
    for (let bucket = range.newest; bucket >= range.oldest; bucket--) yield* keys.messagesBy(bucket, key);
  }

  return ({ queueId, messageId, address, limit }: TraceQuery) => {
    const key = messageId ?? address;
    const candidates =
      queueId !== undefined
        ? [queueId]
        : key !== undefined
          ? found(searchKey(key))
          : newestMessages.iterate();
    return firstDistinct(candidates, limit).flatMap((id) => entriesOfMessage.all(id));
  };
}

function firstDistinct(candidates: Iterable<string>, limit: number): string[] {
  const chosen = new Set<string>();
  for (const candidate of candidates) {
    if (chosen.size === limit) break;
    chosen.add(candidate);
  }
  return [...chosen];
}

/** Cuts a bounded piece off the old end: whatever is older than `before`, or further back than `maxBytes`. */
function createPruning(
  database: Database,
  groups: readonly { removeBefore(position: number): void }[],
  end: () => number,
): Operations['pruneEvents'] {
  const oldestEntries = database
    .prepare<[number], [id: number, start: number, lastAt: number, events: number]>(
      'SELECT id, id - octet_length(data), last_at, json_array_length(data) FROM events ORDER BY id LIMIT ?',
    )
    .raw();
  const removeUpTo = database.prepare('DELETE FROM events WHERE id <= ?');
  const oldestEntry = database.prepare<[], number | null>('SELECT min(id) FROM events').pluck();

  return ({ before, maxBytes }: Retention) => {
    let last: number | undefined;
    let count = 0;
    for (const [id, start, lastAt, events] of oldestEntries.all(pruneStep)) {
      if (lastAt >= before && start >= end() - maxBytes) break;
      last = id;
      count += events;
    }
    if (last !== undefined) removeUpTo.run(last);
    const oldest = oldestEntry.get() ?? end();
    // Bounded too: these are the keys of the entries that went just now.
    for (const group of groups) group.removeBefore(oldest);
    return count;
  };
}
