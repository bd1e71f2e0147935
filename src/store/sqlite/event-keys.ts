/**
 * The keys by which dossiers are found, in groups of one MiB of log each. How they lie in their table is told in
 * schema.ts; they come into it from recent-keys.ts.
 */

import type { Database } from 'better-sqlite3';

/** Octets of log whose keys lie together in one group. */
const bucketBytes = 1024 * 1024;

export const bucketOf = (position: number): number => Math.floor(position / bucketBytes);

export interface EventKeys {
  /** Takes in what lies in `recent_keys`. */
  takeRecent(): void;
  /** Queue ids of the messages that `key` leads to, newest first; a message as often as it has such entries. */
  messagesBy(bucket: number, key: string): string[];
  remove(bucket: number, key: string): void;
  /** Removes what belongs to the log before a position, in whole groups. */
  removeBefore(position: number): void;
}

export function createEventKeys(database: Database): EventKeys {
  // Sorted, so that neighbours on a page are written together.
  const takeRecent = database.prepare(
    `INSERT OR IGNORE INTO event_keys (bucket, key, entry)
       SELECT entry / ${bucketBytes}, value, entry FROM recent_keys, json_each(keys) ORDER BY 1, 2, 3`,
  );
  const messagesBy = database
    .prepare<[number, string], string>(
      `SELECT queue_id FROM event_keys JOIN events ON id = entry WHERE bucket = ? AND key = ? ORDER BY entry DESC`,
    )
    .pluck();
  const remove = database.prepare('DELETE FROM event_keys WHERE bucket = ? AND key = ?');
  const removeBefore = database.prepare('DELETE FROM event_keys WHERE bucket < ?');
  return {
    takeRecent: () => void takeRecent.run(),
    messagesBy: (bucket, key) => messagesBy.all(bucket, key),
    remove: (bucket, key) => void remove.run(bucket, key),
    removeBefore: (position) => void removeBefore.run(bucketOf(position)),
  };
}
