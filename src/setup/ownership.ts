/** What root has made for the server belongs to its user: else the server could not write it. */

import { lchown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Owner } from './system-user.ts';

/** Only what is root's changes hands, and no link is followed: what has another owner was given to that one by somebody. */
export async function giveTo({ uid, gid }: Owner, path: string): Promise<void> {
  const entry = await lstat(path);
  // A file of several names may be somebody else's under another one.
  if (entry.uid === 0 && (entry.isDirectory() || entry.nlink === 1)) await lchown(path, uid, gid);
  if (!entry.isDirectory()) return;
  for (const name of await readdir(path)) await giveTo({ uid, gid }, join(path, name));
}
