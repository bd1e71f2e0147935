/**
 * What keeps the database file in shape between the transactions: the write-ahead log is copied back into the file
 * when it has grown, and pages that have long been free go back to the file system.
 */

import type { Database } from 'better-sqlite3';

/** Pages in the write-ahead log (8 KiB each) above which it is copied back. */
const logPages = 2048;
/** Groups between two looks at the log. */
const groupsBetweenLooks = 16;
/** Free pages that are kept for reuse: giving them back and asking anew costs more than they do. */
const freePagesKept = 2048;
/** Pages given back in one step. */
const reclaimStep = 256;

type LogState = [busy: number, pages: number, copied: number];

/**
 * Returns what is to be called after each group is answered. Throws where the file cannot be written or synced: the
 * log is whole then, but nothing more may be promised (a later fsync could report success for lost pages).
 */
export function createCheckpoints(database: Database): () => void {
  const look = database.prepare<[], LogState>('PRAGMA wal_checkpoint(NOOP)').raw();
  const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)').raw();
  let groups = 0;
  return () => {
    groups += 1;
    if (groups % groupsBetweenLooks !== 0) return;
    const [, pages = 0] = look.get() ?? [];
    if (pages > logPages) checkpoint.all();
  };
}

export function createReclaim(database: Database): () => boolean {
  const freePages = database.prepare<[], number>('PRAGMA freelist_count').pluck();
  return () => {
    if ((freePages.get() ?? 0) <= freePagesKept + reclaimStep) return false;
    // The pragma gives back one page per step of its statement: exec() goes through all of them, run() takes one.
    database.exec(`PRAGMA incremental_vacuum(${reclaimStep})`);
    return true;
  };
}
