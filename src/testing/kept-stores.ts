/** Stores that earlier versions have really written (testdata/stores), to be put into a data directory. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const fixtures = join(import.meta.dirname, '../../testdata/stores');

/** Of the schema, in order. */
export const keptVersions: readonly number[] = readdirSync(fixtures)
  .flatMap((name) => /^schema-(\d+)$/.exec(name)?.[1] ?? [])
  .map(Number)
  .sort((a, b) => a - b);

export interface KeptStore {
  version: number;
  /** In order, or with all of it in the write-ahead log. */
  state: 'closed' | 'killed';
}

export const keptStores: readonly KeptStore[] = keptVersions.flatMap((version) => [
  { version, state: 'closed' },
  { version, state: 'killed' },
]);

/** The directory has no store yet. */
export function placeKeptStore({ version, state }: KeptStore, dataDir: string): void {
  for (const part of ['store', 'spool']) {
    const from = join(fixtures, `schema-${version}`, state, part);
    mkdirSync(join(dataDir, part), { recursive: true });
    for (const name of readdirSync(from))
      writeFileSync(
        join(dataDir, part, name.replace(/\.gz$/, '')),
        gunzipSync(readFileSync(join(from, name))),
      );
  }
}
