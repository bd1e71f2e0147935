/**
 * Whose a data directory is. A snapshot notes it by name, since numbers differ from machine to machine, and a restore by root gives
 * all of it to that user: else the server could not read it.
 */

import { existsSync } from 'node:fs';
import { chmod, chown, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createDirectory } from '../store/directory-sync.ts';
import { findUser, type UserIds, userName } from '../util/user-names.ts';

export const ownerName = async (dataDir: string): Promise<string> => userName((await stat(dataDir)).uid);

export interface Settled {
  /** Who is to own all in it; undefined where this process can give nothing away. */
  owner: UserIds | undefined;
  /** Whose it was, where this machine has no such user: it stays root's. */
  absent?: string;
}

/** A directory that is somebody's already stays so: only root's is given away. Rejects with the system's error. */
export async function settleOwner(dataDir: string, name: string | undefined): Promise<Settled> {
  if (process.getuid?.() !== 0) return { owner: undefined };
  const { uid, gid } = await stat(dataDir);
  if (uid !== 0 || name === undefined || name === 'root') return { owner: { uid, gid } };
  const user = await findUser(name);
  if (user === undefined) return { owner: { uid, gid }, absent: name };
  await chown(dataDir, user.uid, user.gid);
  return { owner: user };
}

/** Makes a directory for files of the owner, who may then pass through all that root had to make on the way to it. */
export async function createWay(directory: string, owner: UserIds | undefined): Promise<void> {
  const missing: string[] = [];
  for (let path = directory; !existsSync(path) && path !== dirname(path); path = dirname(path))
    missing.push(path);
  await createDirectory(directory);
  if (owner === undefined) return;
  for (const path of missing) {
    if ((await stat(path)).uid !== 0) continue;
    await chown(path, 0, owner.gid);
    await chmod(path, 0o750);
  }
}
