/**
 * fsync of directories, shared: a file created, renamed or removed is durable only when its directory is synced too,
 * and one sync that begins after many renames serves them all. Knows no mail.
 */

import * as fs from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { errorCode } from './errors.ts';
import { ownedLikeDirectory } from './sqlite/pages/ownership.ts';

const open = promisify(fs.open);
const fsync = promisify(fs.fsync);
const close = promisify(fs.close);

/** Syncs of one directory: the one under way came too early for new callers, who share the one that follows. */
interface Rounds {
  current: Promise<void>;
  following?: Promise<void>;
}

const rounds = new Map<string, Rounds>();

/** Resolves when everything that had happened in the directory before this call is on disk. */
export function syncDirectory(path: string): Promise<void> {
  const running = rounds.get(path);
  if (running === undefined) return begin(path);
  running.following ??= running.current.then(
    () => begin(path),
    () => begin(path),
  );
  return running.following;
}

/**
 * Creates the directory and those above it that are missing, private to this user (where root makes it, to the owner of the
 * one above), and makes them durable; also one that is there already, since whoever made it may not have come to its sync.
 */
export async function createDirectory(path: string): Promise<void> {
  // Not mkdir's own recursion: in file systems such as /proc that never ends.
  if (await makeDirectory(path)) return;
  const parent = dirname(path);
  if (parent !== path) await createDirectory(parent);
  if (!(await makeDirectory(path))) await mkdir(path); // says why
}

/** True where the directory is there; false where one above it is missing. */
async function makeDirectory(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 });
    ownedLikeDirectory(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    if (errorCode(error) !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error;
  }
  await syncDirectory(dirname(path));
  return true;
}

function begin(path: string): Promise<void> {
  const round: Rounds = { current: sync(path).finally(() => forget(path, round)) };
  rounds.set(path, round);
  return round.current;
}

function forget(path: string, round: Rounds): void {
  if (round.following === undefined) rounds.delete(path);
}

async function sync(path: string): Promise<void> {
  const descriptor = await open(path, 'r');
  try {
    await fsync(descriptor);
  } finally {
    await close(descriptor);
  }
}
