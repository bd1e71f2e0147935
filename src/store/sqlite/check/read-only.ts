/** A look at the database through SQLite that changes nothing, under the store's lock. */

import { existsSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { StoreFiles } from '../store-files.ts';

export interface ReadOnly extends Disposable {
  database: Database.Database;
}

/** Throws what SQLite does. */
export function openReadOnly({ database: path, log }: StoreFiles): ReadOnly {
  const shared = `${path}-shm`;
  // SQLite makes these to read with others, and leaves them; where the store is not in use they are not there.
  const leftovers = [log, shared].filter((file) => !existsSync(file));
  const remove = () => {
    for (const file of leftovers) rmSync(file, { force: true });
  };
  try {
    const database = new Database(path, { readonly: true, fileMustExist: true });
    const dispose = () => {
      database.close();
      remove();
    };
    return { database, [Symbol.dispose]: dispose };
  } catch (error) {
    remove();
    throw error;
  }
}
