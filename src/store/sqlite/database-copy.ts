/**
 * A copy of the database file that was made while it was frozen: whether it is what was written, and what it names. The copy
 * is left as it is.
 */

import { closeSync, openSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { openReadOnly } from './check/read-only.ts';
import { pageComparer, pagesAtOnce, pagesWithSums } from './pages/compare.ts';
import { describeDamage } from './pages/damage.ts';
import { readSums, type Sums } from './pages/sums.ts';
import type { StoreFiles } from './store-files.ts';

/** The octets of a message in the spool: at the beginning of a file, `sum` being their CRC-32 where it is known. */
export interface NamedSpoolFile {
  name: string;
  sizeBytes: number;
  sum: number | null;
}

export interface DatabaseCopy {
  schemaVersion: number;
  spooled: NamedSpoolFile[];
}

/** The copy is not what was written, in words; each line names a page or what SQLite says. */
export class DamagedCopyError extends Error {
  override readonly name = 'DamagedCopyError';
}

/** What is named of several. */
const maxNamed = 3;

/**
 * Compares the copy with the sums of the original's pages; without these, SQLite checks its structure. Throws a
 * DamagedCopyError, what SQLite does, and the system's error.
 */
export function examineCopy(copy: StoreFiles, originalSums: string): DatabaseCopy {
  const sums = readSums(originalSums);
  if (sums !== undefined && sums !== 'damaged') comparePages(copy.database, sums);
  using opened = openReadOnly(copy);
  const { database } = opened;
  if (sums === undefined || sums === 'damaged') {
    const found = database.prepare<[], string>(`PRAGMA quick_check(${maxNamed})`).pluck().all();
    if (found.join() !== 'ok') throw new DamagedCopyError(found.join('\n'));
  }
  return {
    schemaVersion: Number(database.pragma('user_version', { simple: true })),
    spooled: database
      .prepare<[], NamedSpoolFile>(
        `SELECT spool AS name, size_bytes - prefix_bytes AS sizeBytes, ${hasSums(database) ? 'spool_sum' : 'NULL'} AS sum
         FROM messages WHERE spool IS NOT NULL`,
      )
      .all(),
  };
}

/** The first version of the schema had none. */
const hasSums = (database: Database): boolean =>
  database.prepare("SELECT 1 FROM pragma_table_info('messages') WHERE name = 'spool_sum'").get() !==
  undefined;

function comparePages(path: string, sums: Sums): void {
  const file = openSync(path, 'r');
  try {
    const compare = pageComparer({ file, sums });
    for (let first = 1; first <= pagesWithSums(sums); first += pagesAtOnce) {
      const changed = compare(first);
      if (changed.length === 0) continue;
      const named = changed.slice(0, maxNamed);
      throw new DamagedCopyError(
        named.map(({ page }) => describeDamage({ page, what: 'is not as it was written' })).join('\n'),
      );
    }
  } finally {
    closeSync(file);
  }
}
