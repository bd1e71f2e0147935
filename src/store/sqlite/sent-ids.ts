/**
 * The Message-IDs of what was sent from here, as long as the log of events reaches. A report from outside asks for one,
 * and a forged report for one that does not exist, on the only thread that writes: so they lie apart from the keys of
 * the log, in few groups. How they lie in their table is told in schema.ts; they come into it from recent-keys.ts.
 */

import type { Database } from 'better-sqlite3';

/** Octets of log whose Message-IDs lie together in one group. */
const groupBytes = 16 * 1024 * 1024;

const groupOf = (position: number): number => Math.floor(position / groupBytes);

export interface SentIds {
  /** Takes in what lies in `recent_keys`. */
  takeRecent(): void;
  /** Looks between two positions of the log. */
  has(messageId: string, oldest: number, newest: number): boolean;
  /** Removes what belongs to the log before a position, in whole groups. */
  removeBefore(position: number): void;
}

export function createSentIds(database: Database): SentIds {
  // A message sent again has the Message-ID that it had.
  const takeRecent = database.prepare(
    `INSERT OR IGNORE INTO sent_ids (bucket, message_id)
       SELECT entry / ${groupBytes}, sent_id FROM recent_keys WHERE sent_id IS NOT NULL ORDER BY 1, 2`,
  );
  const find = database
    .prepare<[number, string], number>('SELECT 1 FROM sent_ids WHERE bucket = ? AND message_id = ?')
    .pluck();
  const remove = database.prepare('DELETE FROM sent_ids WHERE bucket < ?');
  return {
    takeRecent: () => void takeRecent.run(),
    has(messageId, oldest, newest) {
      for (let group = groupOf(newest); group >= groupOf(oldest); group--)
        if (find.get(group, messageId) !== undefined) return true;
      return false;
    },
    removeBefore: (position) => void remove.run(groupOf(position)),
  };
}
