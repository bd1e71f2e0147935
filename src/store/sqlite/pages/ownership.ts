/** Files of the store belong to whoever owns its directory, also when root runs a command: else the server could not open them. */

import { chownSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Gives the file to the owner of its directory, where this process is root. Throws the system's error. */
export function ownedLikeDirectory(path: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(dirname(path));
  chownSync(path, uid, gid);
}
