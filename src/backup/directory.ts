/**
 * A directory of snapshots: one program at a time writes there; what is whole appears under its name at once, and what is
 * removed disappears at once, so that a kill at any moment leaves whole snapshots and rubbish that is known as such.
 */

import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createDirectory, syncDirectory } from '../store/directory-sync.ts';
import { errorCode } from '../store/errors.ts';
import { namesIn } from '../store/names-in.ts';
import { lockStore } from '../store/sqlite/lock.ts';
import {
  BackupError,
  isSnapshotName,
  removedPrefix,
  snapshotName,
  timeOfSnapshot,
  unfinishedPrefix,
} from './layout.ts';
import { isWithin } from './outside-files.ts';

export interface BackupDirectory extends Disposable {
  readonly path: string;
  /** The names of all whole snapshots, the oldest first. */
  snapshots(): Promise<string[]>;
  /** An empty place for a new snapshot of that moment, with its name to be: after all others, also where the clock was put back. */
  begin(at: number): Promise<{ name: string; draft: string }>;
  /** What was begun is whole and on disk: from here on it has its name. */
  publish(name: string): Promise<void>;
  /** Removes what was begun. */
  abandon(name: string): Promise<void>;
  /** Removes the oldest but for so many; resolves to the names of those. */
  prune(keep: number): Promise<string[]>;
}

const lockName = 'lock';

/**
 * Makes it where there is none, for snapshots of that data directory. Rejects with a BackupError where one lies within the other,
 * another program writes there, or it is no such directory.
 */
export async function openBackupDirectory(path: string, dataDir: string): Promise<BackupDirectory> {
  refuseOverlap(path, dataDir);
  await createDirectory(path);
  await refuseStrangers(path);
  const lock = takeLock(path);
  try {
    for (const name of await namesIn(path))
      if (name.startsWith(unfinishedPrefix) || name.startsWith(removedPrefix))
        await rm(join(path, name), { recursive: true, force: true });
  } catch (error) {
    lock.release();
    throw error;
  }
  const draftOf = (name: string) => join(path, `${unfinishedPrefix}${name}`);
  return {
    path,
    snapshots: () => listSnapshots(path),
    async begin(at) {
      const last = (await listSnapshots(path)).at(-1);
      const name = snapshotName(last === undefined ? at : Math.max(at, timeOfSnapshot(last) + 1));
      await createDirectory(draftOf(name));
      return { name, draft: draftOf(name) };
    },
    async publish(name) {
      await rename(draftOf(name), join(path, name));
      await syncDirectory(path);
    },
    abandon: (name) => rm(draftOf(name), { recursive: true, force: true }),
    async prune(keep) {
      const old = (await listSnapshots(path)).slice(0, -keep);
      for (const name of old) await rename(join(path, name), join(path, `${removedPrefix}${name}`));
      await syncDirectory(path);
      for (const name of old)
        await rm(join(path, `${removedPrefix}${name}`), { recursive: true, force: true });
      return old;
    },
    [Symbol.dispose]: () => lock.release(),
  };
}

/** The oldest first; none where there is no such directory. Rejects with the system's error. */
export async function listSnapshots(path: string): Promise<string[]> {
  return (await namesIn(path)).filter(isSnapshotName).sort();
}

/** What somebody has in there besides would look as if it belonged to the backup. */
async function refuseStrangers(path: string): Promise<void> {
  const isOurs = (name: string) =>
    isSnapshotName(name) ||
    /^(?:lock(?:-journal)?|lost\+found)$/.test(name) ||
    /^\.(?:unfinished|removed)-/.test(name);
  const stranger = (await readdir(path)).find((name) => !isOurs(name));
  if (stranger === undefined) return;
  throw new BackupError(
    'refused',
    `${path} holds something else than backups: ${stranger}. Name an empty directory, or one of its own below it.`,
  );
}

function takeLock(path: string): { release(): void } {
  try {
    return lockStore({ lock: join(path, lockName) });
  } catch (error) {
    if (!errorCode(error)?.startsWith('SQLITE_BUSY')) throw error;
    throw new BackupError(
      'busy',
      `another program writes to ${path} at this moment. Wait for its end, then try again.`,
    );
  }
}

function refuseOverlap(backups: string, dataDir: string): void {
  if (!isWithin(dataDir, backups) && !isWithin(backups, dataDir)) return;
  throw new BackupError(
    'refused',
    `${backups} and the data directory ${dataDir} lie within each other. Name another place, best on another disk.`,
  );
}
