/** Where the parts of the embedded engine's store lie. */

import { join } from 'node:path';

export interface StoreFiles {
  directory: string;
  database: string;
  /** SQLite's write-ahead log: what is committed and not yet copied into the database. */
  log: string;
  /** The sums of the database's pages. */
  sums: string;
  /** How long the log is. */
  note: string;
  /** Locked by whoever works on the store, also where the database itself must not be opened. */
  lock: string;
}

export function storeFiles(dataDir: string): StoreFiles {
  const directory = join(dataDir, 'store');
  const database = join(directory, 'posthorn.db');
  return {
    directory,
    database,
    log: `${database}-wal`,
    sums: `${database}-sums`,
    note: `${database}-note`,
    lock: join(directory, 'lock'),
  };
}
