/**
 * A transaction of the store, durable when its commit returns. SQLite is told not to sync its log at a commit
 * (`synchronous = NORMAL`), since the SQLite that we have does it by fsync(2), and in ext4 that waits for a commit of the
 * file system's journal, to which every file delivered meanwhile belongs. fdatasync(2) is as durable, and does not:
 * docs/decisions/0010.
 */

import type { Database } from 'better-sqlite3';
import { errorCode } from '../errors.ts';
import type { Bookkeeping } from './bookkeeping.ts';
import type { Transaction } from './group-commit.ts';

/** SQLite's word for it, so that it means what a failed sync of SQLite's own means: nothing is promised any more. */
class LogSyncError extends Error {
  readonly code = 'SQLITE_IOERR_FSYNC';
}

/** Takes over the syncing of commits: every transaction of the database goes through here from now on. */
export function transactionOf(database: Database, books: Pick<Bookkeeping, 'syncLog'>): Transaction {
  // Checkpoints, and the log's beginning anew, are synced by SQLite still.
  database.pragma('synchronous = NORMAL');
  const [begin, commit, rollback] = ['BEGIN', 'COMMIT', 'ROLLBACK'].map((sql) => database.prepare(sql));
  return {
    begin: () => void begin?.run(),
    commit() {
      commit?.run();
      try {
        books.syncLog();
      } catch (cause) {
        if (errorCode(cause)?.startsWith('SQLITE_')) throw cause;
        throw new LogSyncError(`cannot sync the write-ahead log: ${String(cause)}`, { cause });
      }
    },
    rollback: () => void (database.inTransaction && rollback?.run()),
  };
}
