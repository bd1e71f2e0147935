/**
 * Whether a path still leads to the file that is open. Whoever removes or moves the store of a running server leaves it
 * writing to files that nobody will find again, and every write and sync of them succeeds.
 */

import { fstatSync, statSync } from 'node:fs';

/** SQLite's word for it, so that it means the same: nothing is promised any more. */
class MovedError extends Error {
  readonly code = 'SQLITE_READONLY_DBMOVED';
}

/** Returns what throws once the path leads elsewhere, or nowhere; also the system's error. */
export function guardPlace(path: string, descriptor: number): () => void {
  const { dev, ino } = fstatSync(descriptor);
  return () => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.ino === ino && found.dev === dev) return;
    const what = found === undefined ? 'was removed or moved away' : 'was replaced by another file';
    throw new MovedError(`${path} ${what} while the server ran: put it back before the next start`);
  };
}
