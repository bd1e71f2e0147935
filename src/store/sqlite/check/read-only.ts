/**
 * A look at the database through SQLite that changes nothing, under the store's lock. To read a database with a log,
 * SQLite makes files beside it; on a disk that is full or cannot be written to it looks at a copy in memory instead.
 */

import { existsSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { errorCode } from '../../errors.ts';
import type { StoreFiles } from '../store-files.ts';
import { copyOf } from './copy.ts';

export interface ReadOnly extends Disposable {
  database: Database.Database;
}

/** Throws what SQLite does, and CopyTooLargeError. */
export function openReadOnly(files: StoreFiles): ReadOnly {
  try {
    return openInPlace(files);
  } catch (error) {
    if (!/^SQLITE_(CANTOPEN|IOERR|READONLY|FULL)/.test(errorCode(error) ?? '')) throw error;
    return opened(new Database(copyOf(files), { readonly: true }));
  }
}

function openInPlace({ database: path, log }: StoreFiles): ReadOnly {
  const shared = `${path}-shm`;
  // SQLite makes these to read with others, and leaves them; where the store is not in use they are not there.
  const leftovers = [log, shared].filter((file) => !existsSync(file));
  const remove = () => {
    for (const file of leftovers) if (existsSync(file)) rmSync(file);
  };
  let database: Database.Database | undefined;
  try {
    database = new Database(path, { readonly: true, fileMustExist: true });
    // Only now it opens the log, and makes what it needs.
    database.prepare('SELECT count(*) FROM sqlite_master').get();
    return opened(database, remove);
  } catch (error) {
    database?.close();
    remove();
    throw error;
  }
}

function opened(database: Database.Database, afterwards = () => {}): ReadOnly {
  // What is sorted must not go to a disk that may be full.
  database.pragma('temp_store = MEMORY');
  const dispose = () => {
    database.close();
    afterwards();
  };
  return { database, [Symbol.dispose]: dispose };
}
