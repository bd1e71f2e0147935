/**
 * What dossiers are found by, on its way into the groups (event-keys.ts, sent-ids.ts). Keys come in no order: each would
 * touch a page of its own, and a commit writes whole pages. So those of the newest stretch of the log lie in the order
 * they came in, and move into their groups together, sorted.
 */

import type { Database } from 'better-sqlite3';

/** Octets of log after which its keys move: some milliseconds' work, and as much again for who searches among them. */
const stretchBytes = 512 * 1024;

export interface RecentKeys {
  /** Of the entry that ends at `position`; `sentId` as in EntryTuple. */
  add(position: number, keys: readonly string[], sentId: string | undefined): void;
  /** Moves all into their groups. */
  move(): void;
  /** Queue ids of the messages that `key` leads to, newest first. */
  messagesBy(key: string): string[];
  isSent(messageId: string): boolean;
}

/** Who takes them in. */
interface Groups {
  takeRecent(): void;
}

export function createRecentKeys(database: Database, groups: readonly Groups[]): RecentKeys {
  const insert = database.prepare('INSERT INTO recent_keys (entry, keys, sent_id) VALUES (?, ?, ?)');
  const clear = database.prepare('DELETE FROM recent_keys');
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
    for (const group of groups) group.takeRecent();
    clear.run();
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
