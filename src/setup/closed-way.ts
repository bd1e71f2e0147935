/** May a user run a program? By the rights of the directories on the way to it, as the system looks at them. path_resolution(7). */

import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Owner } from './owner.ts';

/** Below these, a service has directories of its own (PrivateTmp), and not what lies there. */
const hiddenFromServices = ['/tmp', '/var/tmp'];

/** The first directory, from the root, that the user may not pass, or that a service does not see; undefined where the way is open. */
export async function findClosed(
  program: string,
  { owner, isService }: { owner: Owner; isService: boolean },
): Promise<string | undefined> {
  const parents: string[] = [];
  for (let path = program; path !== dirname(path); path = dirname(path)) parents.unshift(dirname(path));
  for (const path of parents)
    if ((isService && hiddenFromServices.includes(path)) || !(await isPassable(path, owner))) return path;
  return undefined;
}

/** One class alone counts: the owner's, else the group's, else that of others. */
async function isPassable(path: string, { uid, gid }: Owner): Promise<boolean> {
  const entry = await stat(path);
  if (entry.uid === uid) return (entry.mode & 0o100) !== 0;
  if (entry.gid === gid) return (entry.mode & 0o010) !== 0;
  return (entry.mode & 0o001) !== 0;
}
