/**
 * Messages in the maildrop are of who owns their files (store/maildrop.ts): a snapshot notes whose they were, and a restore gives
 * them back. As the server's own, which all else becomes, they could be sent in any name, and one that is in the queue too
 * would not be known again.
 */

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { maildropDirectory } from '../store/drop-message.ts';
import { errorCode } from '../store/errors.ts';
import { maxDroppedBytes, setAsideDropped } from '../store/maildrop.ts';
import { namesIn } from '../store/names-in.ts';
import { type Copied, copyFile } from './files.ts';

/** User ids by the names of files. */
export type HandedIn = Readonly<Record<string, number>>;

export interface HandedInParts {
  from: string;
  to: string;
  /** The server takes no more. */
  messageBytes: number;
  signal: AbortSignal;
}

/**
 * Copies one, and tells whose it is: of the very file that is copied, since its owner may put another in its place at any time. One
 * that is too long stays so, but gets no longer: it may be as long as its owner likes, and take no room itself. Undefined for what
 * is no message of one author, and for what its owner does not let us read. Rejects with the system's error.
 */
export async function saveHandedIn(parts: HandedInParts): Promise<(Copied & { uid: number }) | undefined> {
  let uid = -1;
  try {
    const copied = await copyFile(parts.from, parts.to, {
      limitBytes: maxDroppedBytes(parts.messageBytes) + 1,
      signal: parts.signal,
      isWanted(stats) {
        uid = stats.uid;
        return stats.isFile() && stats.nlink === 1;
      },
    });
    return copied && { ...copied, uid };
  } catch (error) {
    if (notOurs.has(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** A link, a socket, a file that is closed to the server's user. */
const notOurs = new Set(['ELOOP', 'ENXIO', 'EACCES']);

/** Resolves to what is to be told of those that cannot be given back: they stay, and are not sent. Rejects with the system's error. */
export async function giveBackHandedIn(dataDir: string, handedIn: HandedIn): Promise<string[]> {
  const directory = maildropDirectory(dataDir);
  const own = process.getuid?.();
  const warnings: string[] = [];
  for (const name of await namesIn(directory)) {
    const uid = handedIn[name];
    if (uid !== undefined && (own === 0 || own === uid)) {
      await using file = await open(join(directory, name), constants.O_RDONLY | constants.O_NOFOLLOW);
      // By its name, which nobody else knows, the server has to read it.
      await file.chmod(0o644);
      if (own === 0) await file.chown(uid, (await file.stat()).gid);
    } else if (name.startsWith('new-')) {
      const kept = await setAsideDropped(directory, name);
      const who =
        uid === undefined ? 'nobody knows whose it is' : `only root can give it back to user id ${uid}`;
      warnings.push(`${kept} was handed in and is not sent: ${who}`);
    }
  }
  return warnings;
}
