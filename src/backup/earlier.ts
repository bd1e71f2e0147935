/** The snapshot before: what it has already need not be copied again. */

import { rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorCode } from '../store/errors.ts';
import { sizeOf } from '../store/size-of.ts';
import { baseName } from './data-files.ts';
import { type Copied, copyFile, keptMode, linkFile, sumOfFile } from './files.ts';
import { BackupError, snapshotPaths } from './layout.ts';
import { readSums } from './sums.ts';

export interface Earlier {
  /** Gives a message, of so many octets, its name in the new snapshot; undefined where this one has it not. */
  linkMessage(message: MessageName, sizeBytes: number, to: string): Promise<Copied | undefined>;
  /** The same for a file that may have changed, if it is octet for octet as it was, and the earlier one is so on disk, too. */
  linkSame(path: string, live: Copied & { mode: number }, to: string, signal: AbortSignal): Promise<boolean>;
}

interface MessageName {
  folder: string;
  base: string;
}

/** For the first one. */
const nothingEarlier: Earlier = {
  linkMessage: async () => undefined,
  linkSame: async () => false,
};

/** One whose list is damaged keeps nobody from the next one, which then holds copies of its own. */
export async function findEarlier(
  before: string | undefined,
): Promise<{ earlier: Earlier; warnings: string[] }> {
  if (before === undefined) return { earlier: nothingEarlier, warnings: [] };
  try {
    return { earlier: await readEarlier(before), warnings: [] };
  } catch (error) {
    const isDamaged = error instanceof BackupError || errorCode(error) === 'ENOENT';
    if (!isDamaged) throw error;
    return {
      earlier: nothingEarlier,
      warnings: [`${before} is damaged: all was copied anew, nothing linked to it`],
    };
  }
}

/** All its sums in memory: some 300 octets for each file. Rejects with a BackupError. */
async function readEarlier(directory: string): Promise<Earlier> {
  const files = new Map<string, { path: string; sum: string }>();
  for await (const { path, sum } of readSums(snapshotPaths(directory).sums))
    files.set(keyOf(path), { path, sum });
  return {
    async linkMessage({ folder, base }, sizeBytes, to) {
      const known = files.get(messageKey(`data/${folder}`, base));
      if (known === undefined) return undefined;
      const path = join(directory, known.path);
      if ((await sizeOf(path)) !== sizeBytes || !(await linkFile(path, to))) return undefined;
      return { sum: known.sum, sizeBytes };
    },
    async linkSame(path, live, to, signal) {
      if (files.get(path)?.sum !== live.sum) return false;
      const own = join(directory, path);
      if ((await modeOf(own)) !== live.mode) return false;
      // What has been damaged in the backup since is not handed down: it would be taken for damage of what is saved.
      if ((await sumOfFile(own, { signal }))?.sum !== live.sum) return false;
      return linkFile(own, to);
    },
  };
}

/** A message is known by its folder and the part of its name that does not change. */
function keyOf(path: string): string {
  const part = basename(dirname(path));
  const isMessage = path.startsWith('data/accounts/') && (part === 'new' || part === 'cur');
  return isMessage ? messageKey(dirname(dirname(path)), baseName(basename(path))) : path;
}

const messageKey = (folder: string, base: string): string => `${folder}//${base}`;

/** What came of one file. */
export interface Saved extends Copied {
  /** It was copied; else it is the file of the snapshot before. */
  isNew: boolean;
}

/** A message of a Maildir. Undefined where it is gone. Rejects with the system's error. */
export async function saveMessage(
  earlier: Earlier,
  { from, to, message }: { from: string; to: string; message: MessageName },
  signal: AbortSignal,
): Promise<Saved | undefined> {
  const sizeBytes = await sizeOf(from);
  if (sizeBytes === undefined) return undefined;
  const linked = await earlier.linkMessage(message, sizeBytes, to);
  if (linked !== undefined) return { ...linked, isNew: false };
  const copied = await copyFile(from, to, { signal });
  return copied && { ...copied, isNew: true };
}

/** Any other file, `path` being its path in the snapshot. */
export async function saveFile(
  earlier: Earlier,
  { from, to, path }: { from: string; to: string; path: string },
  signal: AbortSignal,
): Promise<Saved | undefined> {
  const [live, mode] = [await sumOfFile(from, { signal }), await modeOf(from)];
  if (live === undefined || mode === undefined) return undefined;
  if (await earlier.linkSame(path, { ...live, mode }, to, signal)) return { ...live, isNew: false };
  const copied = await copyFile(from, to, { signal });
  return copied && { ...copied, isNew: true };
}

/** The same for a file that is likely to have changed: read once only. */
export async function saveLargeFile(
  earlier: Earlier,
  { from, to, path }: { from: string; to: string; path: string },
  signal: AbortSignal,
): Promise<Saved | undefined> {
  const [copied, mode] = [await copyFile(from, to, { signal }), await modeOf(from)];
  if (copied === undefined || mode === undefined) return copied && { ...copied, isNew: true };
  const spare = `${to}.same`;
  const isSame = await earlier.linkSame(path, { ...copied, mode }, spare, signal);
  if (isSame) await rename(spare, to);
  return { ...copied, isNew: !isSame };
}

/** Permissions, as they are kept; undefined where there is no such file. */
async function modeOf(path: string): Promise<number | undefined> {
  try {
    return keptMode(await stat(path));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
