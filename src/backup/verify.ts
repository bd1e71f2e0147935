/** Whether a snapshot is what was written: every file by its sum, the sums by the manifest. Changes nothing. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { forEachOf, sumOfFile } from './files.ts';
import { BackupError, snapshotPaths } from './layout.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { readSums } from './sums.ts';

export interface Verified {
  manifest: Manifest;
  files: number;
  bytes: number;
  /** A line for each file that is not as it was, `PATH: what is wrong`. */
  damage: string[];
}

/** Files that are read at once. */
const atOnce = 8;
/** In a line for people. */
const manifestName = 'manifest.json';

/** Reads all of it. Rejects with a BackupError where not even the manifest or the sums can be relied on. */
export async function verifySnapshot(directory: string): Promise<Verified> {
  const paths = snapshotPaths(directory);
  const manifest = await readManifest(paths.manifest);
  const sums = await sumOfFile(paths.sums);
  if (sums?.sum !== manifest.sumsSha256)
    throw new BackupError('damaged', `${paths.sums} is not as it was written. Use another snapshot.`);
  const damage: string[] = [];
  const listed = new Set<string>(['SHA256SUMS', manifestName]);
  const counts = { files: 0, bytes: 0 };
  await forEachOf(readSums(paths.sums), atOnce, async ({ path, sum }) => {
    listed.add(path);
    const found = await sumOfFile(join(directory, path));
    counts.files += 1;
    counts.bytes += found?.sizeBytes ?? 0;
    if (found === undefined) damage.push(`${path}: is missing`);
    else if (found.sum !== sum) damage.push(`${path}: is not as it was written`);
  });
  for await (const path of filesIn(directory))
    if (!listed.has(path)) damage.push(`${path}: does not belong to the snapshot`);
  return { manifest, ...counts, damage };
}

/** Paths of all that are no directories, relative to the snapshot. */
async function* filesIn(directory: string, below = ''): AsyncIterable<string> {
  for (const entry of await readdir(join(directory, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) yield* filesIn(directory, path);
    else yield path;
  }
}

/** For an error: the first ones. */
export function describeDamage(directory: string, damage: readonly string[]): string {
  const most = 5;
  const named = damage.slice(0, most).map((line) => `\n  ${line}`);
  const others = damage.length > most ? `\n  and ${damage.length - most} more` : '';
  return `${directory} is damaged:${named.join('')}${others}`;
}
