/**
 * What keeps the database file in shape between the transactions: the write-ahead log is copied back into the file
 * when it has grown, pages that have long been free go back to the file system, and what the start had no time to examine is.
 */

import type { Database } from 'better-sqlite3';
import type { Bookkeeping } from './bookkeeping.ts';

/** Pages in the write-ahead log (8 KiB each) above which it is copied back. */
const maxLogPages = 2048;
/** While the file is frozen the log grows up to so many (1 GiB). */
const maxLogPagesFrozen = 128 * 1024;
/** Between two steps of an examination that the start had no time for; a step takes a millisecond. */
const examinationPauseMs = 10;
/** Free pages that are kept for reuse: giving them back and asking anew costs more than they do. */
const freePagesKept = 2048;
/** Pages given back in one step. */
const reclaimStep = 256;

export interface Checkpoints {
  /**
   * To be called after each group is answered. Throws where the file cannot be written or synced: the log is whole then,
   * but nothing more may be promised (a later fsync could report success for lost pages).
   */
  afterGroup(): void;
  /** Brings all into the file and leaves it as it is from then on; false where there is no room for that. Throws likewise. */
  freeze(): boolean;
  /** Ends that; false where it had come to its end before, since the log was too long. */
  thaw(): boolean;
}

export function createCheckpoints(
  books: Pick<Bookkeeping, 'logPages' | 'checkpoint' | 'isEven'>,
  { mostFrozen = maxLogPagesFrozen }: { mostFrozen?: number } = {},
): Checkpoints {
  let isFrozen = false;
  return {
    afterGroup() {
      if (books.logPages <= (isFrozen ? mostFrozen : maxLogPages)) return;
      isFrozen = false;
      books.checkpoint();
    },
    freeze() {
      books.checkpoint();
      isFrozen = books.isEven;
      return isFrozen;
    },
    thaw() {
      const held = isFrozen;
      isFrozen = false;
      return held;
    },
  };
}

/** Compares pages with their sums between the groups until all are done; the returned function stops it. */
export function examineRest(
  books: Pick<Bookkeeping, 'compareMore'>,
  failed: (error: unknown) => void,
): () => void {
  let timer = setTimeout(step, examinationPauseMs);

  function step(): void {
    try {
      if (books.compareMore()) timer = setTimeout(step, examinationPauseMs);
    } catch (error) {
      failed(error);
    }
  }

  return () => clearTimeout(timer);
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
