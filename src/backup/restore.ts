/**
 * Puts a snapshot in the place of a data directory. It is verified as a whole before anything is written; into a directory
 * that holds nothing, and has a mark while it is not finished: no server starts there (remains.ts), and the same restore
 * begins anew.
 */

import { existsSync } from 'node:fs';
import { chmod, chown, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createDirectory, syncDirectory } from '../store/directory-sync.ts';
import { errorCode } from '../store/errors.ts';
import { markUnfinished, storeMark, unfinishedRestore } from '../store/sqlite/remains.ts';
import { type RestoredQueue, resumeQueue } from '../store/sqlite/restored-queue.ts';
import { schemaVersion } from '../store/sqlite/schema.ts';
import type { UserIds } from '../util/user-names.ts';
import { listSnapshots } from './directory.ts';
import { copyFile, forEachOf, isPrivate } from './files.ts';
import { giveBackHandedIn } from './handed-in.ts';
import { BackupError, snapshotPaths } from './layout.ts';
import type { Manifest } from './manifest.ts';
import { isWithin } from './outside-files.ts';
import { createWay, settleOwner } from './owner.ts';
import { describeDamage, verifySnapshot } from './verify.ts';

export interface RestoreOptions {
  /** A directory of backups. */
  from: string;
  /** The name of a snapshot. Default: the newest one. */
  snapshot?: string | undefined;
  /** The data directory. Default: where it was. */
  to?: string | undefined;
  /** Nothing was delivered after the snapshot: what waits goes on. */
  release: boolean;
  now: number;
  /** Throws where the directory is in use. */
  requireUnused(dataDir: string): Promise<void>;
}

export interface RestoreReport {
  snapshot: string;
  at: number;
  dataDir: string;
  files: number;
  bytes: number;
  queue: RestoredQueue;
  outside: OutsideReport;
  /** What the snapshot itself does not have, as it said when it was made. */
  warnings: string[];
  /** Messages in the maildrop whose senders could not have them back. */
  setAside: string[];
  /** Whose all of it was, where this machine has no such user: it is root's. */
  absentOwner?: string;
}

/** The configuration, and the files that it names. */
export interface OutsideReport {
  /** Where they were put. */
  restored: string[];
  /** What is there, and is not the same: it was left. */
  differing: string[];
}

/** Files that are written at once. */
const atOnce = 16;
/** What a new file system has in its root, and an empty directory may. */
const nothing = new Set(['lost+found']);

/** Rejects with a BackupError, StoreOpenError and the system's error. */
export async function restoreSnapshot(options: RestoreOptions): Promise<RestoreReport> {
  const snapshot = await chooseSnapshot(options);
  const directory = join(options.from, snapshot);
  const { manifest, files, bytes, damage } = await verifySnapshot(directory);
  if (damage.length > 0)
    throw new BackupError(
      'damaged',
      `${describeDamage(directory, damage)}\nNothing was restored. Use another snapshot (--snapshot NAME).`,
    );
  refuseNewer(manifest);
  const dataDir = options.to ?? manifest.dataDir;
  refuseWithin(options.from, dataDir);
  await options.requireUnused(dataDir);
  await prepare(dataDir, snapshot);
  const { owner, absent } = await settleOwner(dataDir, manifest.owner);
  await copyTree(snapshotPaths(directory).data, dataDir, owner);
  const setAside = await giveBackHandedIn(dataDir, manifest.handedIn ?? {});
  const queue = resumeQueue(dataDir, { snapshotAt: manifest.at, now: options.now, release: options.release });
  const outside = await restoreOutside(directory, manifest, {
    dataDir,
    isElsewhere: options.to !== undefined,
    owner,
  });
  await rm(unfinishedRestore(dataDir));
  await syncDirectory(dataDir);
  return {
    snapshot,
    at: manifest.at,
    dataDir,
    files,
    bytes,
    queue,
    outside,
    warnings: manifest.warnings,
    setAside,
    ...(absent !== undefined && { absentOwner: absent }),
  };
}

async function chooseSnapshot({ from, snapshot }: RestoreOptions): Promise<string> {
  const all = await listSnapshots(from);
  const newest = all.at(-1);
  if (newest === undefined)
    throw new BackupError(
      'missing',
      `there is no snapshot in ${from}. Name a directory that posthorn backup has written.`,
    );
  if (snapshot === undefined) return newest;
  if (all.includes(snapshot)) return snapshot;
  throw new BackupError(
    'missing',
    `there is no snapshot ${snapshot} in ${from}. There are:\n  ${all.join('\n  ')}`,
  );
}

function refuseNewer({ posthorn, schemaVersion: version }: Manifest): void {
  if (version <= schemaVersion) return;
  throw new BackupError(
    'refused',
    `the snapshot has a store of schema version ${version}, made by Posthorn ${posthorn}; this Posthorn knows versions up to ` +
      `${schemaVersion}. Restore it with Posthorn ${posthorn} or a newer one.`,
  );
}

/** Within the snapshots, or the data directory of another server, it would be saved and cleared away as a part of those. */
function refuseWithin(backups: string, dataDir: string): void {
  const refuse = (what: string) => {
    throw new BackupError('refused', `${dataDir} lies within ${what}. Name another place.`);
  };
  if (isWithin(backups, dataDir)) refuse(`the directory of backups ${backups}`);
  for (let above = dirname(dataDir); above !== dirname(above); above = dirname(above))
    if (existsSync(storeMark(above))) refuse(`the data directory ${above}`);
}

/** An empty data directory with the mark in it. */
async function prepare(dataDir: string, snapshot: string): Promise<void> {
  await createDirectory(dataDir);
  const mark = unfinishedRestore(dataDir);
  const names = (await readdir(dataDir)).filter((name) => !nothing.has(name));
  if (existsSync(mark)) {
    // No server has run here since: all of this is from the restore that did not come to its end.
    for (const name of names)
      if (join(dataDir, name) !== mark) await rm(join(dataDir, name), { recursive: true, force: true });
  } else if (names.length > 0)
    throw new BackupError(
      'refused',
      `${dataDir} is not empty (${names.slice(0, 3).join(', ')}${names.length > 3 ? ' …' : ''}), and nothing is written over what is there. ` +
        `To restore in its place, move it away first: mv ${dataDir} ${dataDir}.before. To restore elsewhere: --to DIRECTORY`,
    );
  await markUnfinished(dataDir, snapshot);
}

/** Files and directories, private to their owner; each on disk when it resolves. */
async function copyTree(from: string, to: string, owner: UserIds | undefined): Promise<void> {
  const entries = await readdir(from, { withFileTypes: true });
  await forEachOf(
    entries.filter((entry) => entry.isFile()),
    atOnce,
    async ({ name }) => {
      const target = join(to, name);
      await copyFile(join(from, name), target);
      await chmod(target, 0o600);
      if (owner !== undefined) await chown(target, owner.uid, owner.gid);
    },
  );
  for (const { name } of entries.filter((entry) => entry.isDirectory())) {
    const target = join(to, name);
    await createDirectory(target);
    if (owner !== undefined) await chown(target, owner.uid, owner.gid);
    await copyTree(join(from, name), target, owner);
  }
  await syncDirectory(to);
}

/** Into their places where nothing is there; where the data directory is another one, into that, to be looked at. */
async function restoreOutside(
  directory: string,
  { outside }: Manifest,
  { dataDir, isElsewhere, owner }: { dataDir: string; isElsewhere: boolean; owner: UserIds | undefined },
): Promise<OutsideReport> {
  const report: OutsideReport = { restored: [], differing: [] };
  for (const path of outside) {
    const saved = join(snapshotPaths(directory).outside, path);
    const target = isElsewhere ? join(dataDir, 'outside', path) : path;
    await createWay(dirname(target), owner);
    if (await isSame(saved, target)) continue;
    if (existsSync(target)) {
      report.differing.push(target);
      continue;
    }
    await copyFile(saved, target);
    const { mode } = await stat(target);
    // A key that only its owner may read is one that the server reads.
    if (owner !== undefined) await chown(target, isPrivate({ mode }) ? owner.uid : 0, owner.gid);
    await syncDirectory(dirname(target));
    report.restored.push(target);
  }
  return report;
}

async function isSame(one: string, other: string): Promise<boolean> {
  try {
    const [first, second] = [await readFile(one), await readFile(other)];
    return first.equals(second);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
