/**
 * What dossiers are found by, on its way into the groups (schema.ts). Keys come in no order: each would touch a page of
 * its own, and a commit writes whole pages. So those of the newest stretch of the log lie in the order they came in, and
 * move into their groups together, sorted.
 */

import type { Database } from 'better-sqlite3';
import { groupBytes } from './sent-ids.ts';

/** Octets of log whose keys lie together in one group. */
const bucketBytes = 1024 * 1024;
/** Octets of log after which its keys move: some milliseconds' work, and as much again for who searches among them. */
const stretchBytes = 512 * 1024;

export const bucketOf = (position: number): number => Math.floor(position / bucketBytes);

export interface RecentKeys {
  /** Of the entry that ends at `position`; `sentId` as in EntryTuple. */
  add(position: number, keys: readonly string[], sentId: string | undefined): void;
  /** Moves all into their groups. */
  move(): void;
  /** Queue ids of the messages that `key` leads to, newest first. */
  messagesBy(key: string): string[];
  isSent(messageId: string): boolean;
}

export function createRecentKeys(database: Database): RecentKeys {
  const insert = database.prepare('INSERT INTO recent_keys (entry, keys, sent_id) VALUES (?, ?, ?)');
  const moves = [
    `INSERT OR IGNORE INTO event_keys (bucket, key, entry)
       SELECT entry / ${bucketBytes}, value, entry FROM recent_keys, json_each(keys) ORDER BY 1, 2, 3`,
    // A message sent again has the Message-ID that it had.
    `INSERT OR IGNORE INTO sent_ids (bucket, message_id)
       SELECT entry / ${groupBytes}, sent_id FROM recent_keys WHERE sent_id IS NOT NULL ORDER BY 1, 2`,
    'DELETE FROM recent_keys',
  ].map((sql) => database.prepare(sql));
  const messagesBy = database
    .prepare<[string], string>(
      `SELECT queue_id FROM recent_keys JOIN events ON id = entry
         WHERE ? IN (SELECT value FROM json_each(keys)) ORDER BY entry DESC`,
    )
    .pluck();
  const isSent = database
    .prepare<[string], number>('SELECT 1 FROM recent_keys JOIN events ON id = entry WHERE sent_id = ?')
    .pluck();
  // A transaction that is undone makes this too late by a stretch at most, since whatever is there moves.
  let from =
    database.prepare<[], number | null>('SELECT min(entry) FROM recent_keys').pluck().get() ?? undefined;

  function move(): void {
    for (const statement of moves) statement.run();
    from = undefined;
  }

  return {
    add(position, keys, sentId) {
      insert.run(position, JSON.stringify(keys), sentId ?? null);
      from ??= position;
      if (position - from >= stretchBytes) move();
    },
    move,
    messagesBy: (key) => messagesBy.all(key),
    isSent: (messageId) => isSent.get(messageId) !== undefined,
  };
}
