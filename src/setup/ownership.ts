/** What root has made for the server belongs to its user: else the server could not write it. */

import { constants } from 'node:fs';
import { lchown, lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../store/errors.ts';
import type { Owner } from './owner.ts';

/**
 * Only what is root's changes hands, and no link is followed, nor one that takes a directory's place meanwhile: what has another
 * owner was given to that one by somebody. In a directory where everybody may make files, as the maildrop, each stays whose it is.
 */
export async function giveTo(owner: Owner, path: string): Promise<void> {
  const entry = await lstat(path);
  if (entry.isDirectory()) return giveDirectory(owner, path);
  // A file of several names may be somebody else's under another one.
  if (entry.uid === 0 && entry.nlink === 1) await lchown(path, owner.uid, owner.gid);
}

async function giveDirectory(owner: Owner, path: string): Promise<void> {
  await using directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  const { uid, mode } = await directory.stat();
  if (uid === 0) await directory.chown(owner.uid, owner.gid);
  const isShared = (mode & sticky) !== 0;
  if (isShared || (uid !== 0 && uid !== owner.uid)) return;
  // The directory itself, whatever has its name by now. proc_pid_fd(5).
  const here = `/proc/self/fd/${directory.fd}`;
  for (const name of await readdir(here))
    await giveTo(owner, join(here, name)).catch((error: unknown) => {
      if (errorCode(error) !== 'ENOENT') throw error; // a running server has taken it away
    });
}

/** Who has made a file there is the only one to rename or remove it. inode(7). */
const sticky = 0o1000;
