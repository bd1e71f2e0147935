/** Work on a store's files with nobody else at them, and without opening it: it may be damaged. */

import { accessSync, constants } from 'node:fs';
import { errorCode } from '../errors.ts';
import { lockStore, type StoreLock } from './lock.ts';
import { findRemains, sizeOfEntry } from './remains.ts';
import { openError } from './schema.ts';
import { storeFiles } from './store-files.ts';

/** True where there is anything of a store. Throws the system's error where this user may not know. */
export function hasStore(dataDir: string): boolean {
  return isThere(storeFiles(dataDir).directory) || findRemains(dataDir).length > 0;
}

const isThere = (path: string): boolean => sizeOfEntry(path) !== undefined;

/**
 * Runs `action` under the store's lock. On a disk that cannot be written to any more, as the kernel makes them of failing
 * ones, there is no lock, and no need of one. Throws StoreOpenError where another process has the store, and the
 * system's error where this user may not use it.
 */
export async function whileOffline<T>(dataDir: string, action: () => Promise<T>): Promise<T> {
  const lock = takeLock(dataDir);
  try {
    return await action();
  } finally {
    lock?.release();
  }
}

function takeLock(dataDir: string): StoreLock | undefined {
  const files = storeFiles(dataDir);
  // Nobody can have what is not there; and nothing is made in the place where the lost one should be put back.
  if (!isThere(files.directory)) return undefined;
  try {
    return lockStore(files);
  } catch (error) {
    if (!/^SQLITE_(READONLY|CANTOPEN|IOERR|FULL)|^EROFS$/.test(errorCode(error) ?? ''))
      throw openError(error, dataDir);
    requirePermission(files.directory);
    return undefined;
  }
}

/** Who may only read could not tell whether a server has the store. */
function requirePermission(directory: string): void {
  const { R_OK, W_OK, X_OK } = constants;
  try {
    accessSync(directory, R_OK | W_OK | X_OK);
  } catch (error) {
    if (errorCode(error) !== 'EROFS') throw error;
  }
}
