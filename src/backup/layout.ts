/**
 * What a directory of backups looks like. Each snapshot is a directory that is whole and is never written to again:
 *
 *     DIR/2026-11-28T02-15-00.123Z/manifest.json   what it is a snapshot of, and the sum of SHA256SUMS
 *                                  SHA256SUMS      of every file, as sha256sum(1) writes and reads them
 *                                  data/…          the data directory
 *                                  outside/…       the configuration, and the files that it names, by their paths
 */

import { join } from 'node:path';

export interface SnapshotPaths {
  directory: string;
  data: string;
  outside: string;
  sums: string;
  manifest: string;
}

export function snapshotPaths(directory: string): SnapshotPaths {
  return {
    directory,
    data: join(directory, 'data'),
    outside: join(directory, 'outside'),
    sums: join(directory, 'SHA256SUMS'),
    manifest: join(directory, 'manifest.json'),
  };
}

/** How a snapshot is called as long as it is not whole, and when it is not to be any more. Neither is one. */
export const unfinishedPrefix = '.unfinished-';
export const removedPrefix = '.removed-';

/** By their names, snapshots stand in order of time. */
export const snapshotName = (at: number): string => new Date(at).toISOString().replaceAll(':', '-');

const namePattern = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z$/;

export const isSnapshotName = (name: string): boolean => namePattern.test(name);

/** Ms since the epoch; the inverse of snapshotName(). */
export function timeOfSnapshot(name: string): number {
  const [day = '', time = ''] = name.split('T');
  return Date.parse(`${day}T${time.replaceAll('-', ':')}`);
}

/** What is wrong with a directory of backups, or in the way of one; the message says what to do. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
  /** `damaged`: something is not as it was written. `busy`: later it may work. `refused`: not as things are. */
  readonly kind: 'damaged' | 'busy' | 'missing' | 'refused';

  constructor(kind: BackupError['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
