/** Files of a backup: copied with their sum, durable before anybody counts on them. Knows no store. */

import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, link, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../store/errors.ts';

/** Read and written at once. */
const blockBytes = 256 * 1024;

export interface Copied {
  sum: string;
  sizeBytes: number;
}

export interface CopyOptions {
  /** No more than so many octets from its beginning. */
  limitBytes?: number;
  /** For what comes by. */
  seen?(octets: Buffer): void;
  signal?: AbortSignal | undefined;
  /** Whether a file that was opened is one to copy; by default any. */
  isWanted?(stats: Stats): boolean;
}

/**
 * Copies a file to a place where there is none, with its permissions and its time of change, and syncs it. Undefined where
 * there is no such file any more, or it is not wanted. Rejects with the system's error.
 */
export async function copyFile(
  from: string,
  to: string,
  options: CopyOptions = {},
): Promise<Copied | undefined> {
  const source = await openIfThere(from);
  if (source === undefined) return undefined;
  await using _ = source;
  const stats = await source.stat();
  if (options.isWanted?.(stats) === false) return undefined;
  await using target = await open(to, 'wx', 0o600);
  const copied = await readThrough(source, options, (octets) => writeAll(target, octets));
  await target.chmod(keptMode(stats));
  await target.utimes(stats.atimeMs / 1000, stats.mtimeMs / 1000);
  await target.sync();
  return copied;
}

/** The sum of a file; undefined where there is none. Rejects with the system's error. */
export async function sumOfFile(path: string, options: CopyOptions = {}): Promise<Copied | undefined> {
  const file = await openIfThere(path);
  if (file === undefined) return undefined;
  await using _ = file;
  return await readThrough(file, options, async () => undefined);
}

async function readThrough(
  file: FileHandle,
  { limitBytes = Number.POSITIVE_INFINITY, seen, signal }: CopyOptions,
  use: (octets: Buffer) => Promise<void>,
): Promise<Copied> {
  const hash = createHash('sha256');
  const block = Buffer.allocUnsafe(blockBytes);
  let sizeBytes = 0;
  for (;;) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(
      block,
      0,
      Math.min(block.length, limitBytes - sizeBytes),
      sizeBytes,
    );
    if (bytesRead === 0) return { sum: hash.digest('hex'), sizeBytes };
    const octets = block.subarray(0, bytesRead);
    hash.update(octets);
    seen?.(octets);
    await use(octets);
    sizeBytes += bytesRead;
  }
}

async function writeAll(file: FileHandle, octets: Buffer): Promise<void> {
  for (let rest = octets; rest.length > 0; )
    rest = rest.subarray((await file.write(rest, 0, rest.length)).bytesWritten);
}

/** Not through a symbolic link: where that leads is another's to say; nor does anybody wait for who writes to a pipe. */
async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** What says that a file cannot have another name: too many already, gone, or a file system that knows no such thing. */
const unlinkable = new Set([
  'EMLINK',
  'ENOENT',
  'EPERM',
  'EXDEV',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EACCES',
]);

/** Gives a file a second name; false where that cannot be. Rejects with other errors of the system. */
export async function linkFile(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (unlinkable.has(errorCode(error) ?? '')) return false;
    throw error;
  }
}

/** Permissions that a copy gets: its owner may read it whatever was set. */
export const keptMode = ({ mode }: Pick<Stats, 'mode'>): number => (mode & 0o777) | 0o600;

/** Nobody but its owner may read it. */
export const isPrivate = ({ mode }: Pick<Stats, 'mode'>): boolean => (mode & 0o077) === 0;

/** Does something with each, so many at once. Rejects with the first error, when none is under way any more. */
export async function forEachOf<T>(
  items: AsyncIterable<T> | Iterable<T>,
  atOnce: number,
  action: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let failed: { error: unknown } | undefined;
  for await (const item of items) {
    if (failed !== undefined) break;
    const work: Promise<void> = action(item)
      .catch((error: unknown) => {
        failed ??= { error };
      })
      .finally(() => running.delete(work));
    running.add(work);
    if (running.size >= atOnce) await Promise.race(running);
  }
  await Promise.all(running);
  if (failed !== undefined) throw failed.error;
}

/** The directories of a tree, the deepest first. Rejects with the system's error. */
export async function syncDirectories(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true }))
    if (entry.isDirectory()) await syncDirectories(join(directory, entry.name));
  await using file = await open(directory, constants.O_RDONLY);
  await file.sync();
}
