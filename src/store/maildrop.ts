/**
 * Where any user of this machine hands in mail, also while the server is down: a directory to which everybody can add a file
 * and which only the server can list (mode 1733). The files can be read by whoever knows their names, which are drawn by lot
 * (128 bits) and seen by nobody else: so no program needs to be set-user-ID, nor the directory set-group-ID, which a hardened
 * service may not make. Who owns a file has sent it.
 *
 * A file is whole when its name begins with `new-` (drop-message.ts).
 */

import { constants, type Stats } from 'node:fs';
import {
  chmod,
  chown,
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  stat,
  unlink,
} from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { syncDirectory } from './directory-sync.ts';
import { type DroppedEnvelope, handedInAt, maildropDirectory } from './drop-message.ts';
import { errorCode } from './errors.ts';

const maildropMode = 0o1733;
/** Everybody may come by to the maildrop; all else in a data directory is private by itself. */
const passable = 0o011;
/** First line of a file: longer ones are nobody's. Room for some ten thousand recipients. */
const maxEnvelopeBytes = 1024 * 1024;
/** Octets of a file whose message is not too long. */
export const maxDroppedBytes = (messageBytes: number): number => messageBytes + maxEnvelopeBytes;
/** What was begun so long ago will not be finished. */
const staleMs = 24 * 3600_000;

export interface Dropped {
  envelope: DroppedEnvelope;
  content: Buffer;
  /** Who has sent it. */
  uid: number;
  /** There is more of it than may be: `content` is how it begins. */
  isTooLong?: true;
}

/** Why a file in there is no message. */
export type Undroppable = { wrong: string; uid: number };

/** Of a DroppedEnvelope, whichever way it comes in. */
export const envelopeShape = {
  from: v.exactOptional(v.string()),
  recipients: v.array(v.string()),
  fullName: v.exactOptional(v.string()),
};

const envelopeSchema = v.object({ posthorn: v.literal(1), ...envelopeShape });

/** To be called by the server, which owns the directory. Rejects with the system's error. */
export async function openMaildrop(dataDir: string): Promise<string> {
  const directory = maildropDirectory(dataDir);
  await mkdir(directory, { mode: 0o700 }).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error;
  });
  const { uid, gid, mode } = await stat(dataDir);
  if (process.getuid?.() === 0) await chown(directory, uid, gid);
  await chmod(directory, maildropMode);
  if ((mode & passable) !== passable) await chmod(dataDir, (mode & 0o7777) | passable);
  await syncDirectory(dataDir);
  return directory;
}

/** What is whole, the oldest first; removes what nobody will finish. Rejects with the system's error. */
export async function listDropped(directory: string, now: number): Promise<string[]> {
  const names = await readdir(directory);
  for (const name of names.filter((each) => each.startsWith('tmp-'))) {
    const stats = await unlessAbsent(lstat(join(directory, name))); // it may be finished meanwhile
    // A directory of somebody's is left alone: it cannot be removed, and holds up nobody's mail.
    const isRemovable = stats !== undefined && !stats.isDirectory();
    if (isRemovable && now - stats.mtimeMs > staleMs) await removeDropped(directory, name);
  }
  return names
    .filter((name) => name.startsWith('new-'))
    .sort((a, b) => handedInAt(a) - handedInAt(b) || (a < b ? -1 : 1));
}

/**
 * Reads one, up to so many octets of content. Undefined where it is gone. Rejects with the system's error: EACCES where
 * its sender does not let us read it.
 */
export async function readDropped(
  directory: string,
  name: string,
  maxBytes: number,
): Promise<Dropped | Undroppable | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(join(directory, name), flags).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    if (errorCode(error) === 'ELOOP') return 'link' as const;
    throw error;
  });
  if (file === undefined) return undefined;
  if (file === 'link') return { wrong: 'it is a symbolic link', uid: -1 };
  await using _ = file;
  const stats = await file.stat();
  const wrong = faultOf(stats);
  if (wrong !== undefined) return { wrong, uid: stats.uid };
  const isTooLong = stats.size > maxDroppedBytes(maxBytes);
  const octets = isTooLong ? await beginningOf(file) : await file.readFile();
  const end = octets.subarray(0, maxEnvelopeBytes).indexOf('\n');
  const envelope = end < 0 ? undefined : parseEnvelope(octets.toString('utf8', 0, end));
  if (envelope === undefined)
    return { wrong: 'it is no message that posthorn sendmail has written', uid: stats.uid };
  const content = octets.subarray(end + 1);
  return { envelope, content, uid: stats.uid, ...(isTooLong && { isTooLong }) };
}

async function beginningOf(file: FileHandle): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(maxEnvelopeBytes), 0, maxEnvelopeBytes, 0);
  return buffer.subarray(0, bytesRead);
}

/** Of a file with a second name somebody else may be the author. */
function faultOf(stats: Stats): string | undefined {
  if (!stats.isFile()) return 'it is no file';
  return stats.nlink === 1 ? undefined : 'it has more than one name';
}

function parseEnvelope(line: string): DroppedEnvelope | undefined {
  try {
    const { success, output } = v.safeParse(envelopeSchema, JSON.parse(line));
    if (!success) return undefined;
    const { posthorn: _, ...envelope } = output;
    return envelope;
  } catch {
    return undefined;
  }
}

/** Durable when it resolves. */
export async function removeDropped(directory: string, name: string): Promise<void> {
  await unlink(join(directory, name)).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw error;
  });
  await syncDirectory(directory);
}

/** It stays under another name, and is not looked at any more; resolves to its path. */
export async function setAsideDropped(directory: string, name: string): Promise<string> {
  const kept = join(directory, `unsent-${name.slice('new-'.length)}`);
  await rename(join(directory, name), kept);
  await syncDirectory(directory);
  return kept;
}

async function unlessAbsent<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
