/** Small facts that outlive a restart: written and found by kind and key, gone when their time is over. */

import type { Database } from 'better-sqlite3';
import type { EventLog } from './event-log.ts';
import type { MemoTuple, Operations } from './protocol.ts';

export type MemoOperations = Pick<Operations, 'writeMemos' | 'findMemo' | 'listMemos' | 'removeMemos'>;

/** Each writing takes away so many whose time is over. */
const tidiedAtOnce = 100;

const columns = 'kind, key, value, expires_at';

export function createMemos(database: Database, log: EventLog): MemoOperations {
  const write = database.prepare(`INSERT OR REPLACE INTO memos (${columns}) VALUES (?, ?, ?, ?)`);
  const tidy = database.prepare(
    `DELETE FROM memos WHERE (kind, key) IN
       (SELECT kind, key FROM memos WHERE expires_at <= ? ORDER BY expires_at LIMIT ${tidiedAtOnce})`,
  );
  const isValid = '(expires_at IS NULL OR expires_at > ?)';
  const find = database
    .prepare<[string, string, number], MemoTuple>(
      `SELECT ${columns} FROM memos WHERE kind = ? AND key = ? AND ${isValid}`,
    )
    .raw();
  const list = database
    .prepare<[string, number], MemoTuple>(
      `SELECT ${columns} FROM memos WHERE kind = ? AND ${isValid} ORDER BY key`,
    )
    .raw();
  const remove = database.prepare('DELETE FROM memos WHERE kind = ? AND key = ?');

  return {
    writeMemos({ memos, entries, now }) {
      tidy.run(now);
      for (const memo of memos) write.run(...memo);
      for (const entry of entries) log.append(entry);
    },
    findMemo: ({ kind, key, now }) => find.get(kind, key, now),
    listMemos: ({ kind, now }) => list.all(kind, now),
    removeMemos({ kind, keys, entries }) {
      for (const entry of entries) log.append(entry);
      return keys.reduce((count, key) => count + remove.run(kind, key).changes, 0);
    },
  };
}
