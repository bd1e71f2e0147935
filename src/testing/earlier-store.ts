/** A store as an earlier version of the schema would have left it, for tests of how it is brought to the present. */

import { rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { storeFiles } from '../store/sqlite/store-files.ts';
import type { Store } from '../store/store.ts';
import type { TemporaryStore } from './store.ts';

/** What takes away again what a version has added, the newest first. */
const undone: readonly [version: number, sql: string][] = [
  [8, 'ALTER TABLE messages DROP COLUMN traceparent'],
  [7, 'DROP TABLE report_mail; DROP TABLE reports; DROP TABLE report_rows'],
  [
    6,
    `ALTER TABLE jobs DROP COLUMN verdict; ALTER TABLE accounts DROP COLUMN settings;
      ALTER TABLE accounts DROP COLUMN scram_keys`,
  ],
  [
    5,
    `DROP TABLE memos; ALTER TABLE messages DROP COLUMN requests;
      ALTER TABLE jobs DROP COLUMN requests; ALTER TABLE jobs DROP COLUMN memo`,
  ],
];

/** Makes its database one of that version, and opens it anew; `sql` does what goes further back than version 4. */
export async function reopenAsVersion(world: TemporaryStore, version: number, sql = ''): Promise<Store> {
  await world.store.close();
  const files = storeFiles(world.dataDir);
  const database = new Database(files.database);
  for (const [added, undo] of undone) if (added > version) database.exec(undo);
  database.exec(sql);
  database.pragma(`user_version = ${version}`);
  database.close();
  rmSync(files.sums); // it was not this store that changed the pages
  return world.reopen();
}
