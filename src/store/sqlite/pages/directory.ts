/** fsync of a directory on the store thread, which waits for the disk anyway. */

import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Throws the system's error. */
export function syncDirectoryNow(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
