/**
 * The store's lock, in a file of its own: the database's own lock cannot be had without opening it, and a damaged one
 * must not be opened. Freed by the kernel when the process ends, however it ends. SQLite does the locking (fcntl), so
 * no other code may ever open this file: closing it would free the lock.
 */

import Database from 'better-sqlite3';
import { ownedLikeDirectory } from './pages/ownership.ts';
import type { StoreFiles } from './store-files.ts';

export interface StoreLock {
  release(): void;
}

/** Throws what SQLite does: SQLITE_BUSY where another process, or this one, has it. */
export function lockStore({ lock }: Pick<StoreFiles, 'lock'>): StoreLock {
  const file = new Database(lock, { timeout: 0 });
  try {
    ownedLikeDirectory(lock);
    // Nothing is ever written to it, so its journal need not be a file.
    file.pragma('journal_mode = MEMORY');
    file.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    file.close();
    throw error;
  }
  return { release: () => void file.close() };
}
