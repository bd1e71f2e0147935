/** Work on a store's files with nobody else at them, and without opening it: it may be damaged. */

import { existsSync } from 'node:fs';
import { errorCode } from '../errors.ts';
import { lockStore, type StoreLock } from './lock.ts';
import { openError } from './schema.ts';
import { storeFiles } from './store-files.ts';

/** True where there is anything of a store. */
export function hasStore(dataDir: string): boolean {
  return existsSync(storeFiles(dataDir).directory);
}

/**
 * Runs `action` under the store's lock. On a disk that cannot be written to any more, as the kernel makes them of failing
 * ones, there is no lock, and no need of one. Throws StoreOpenError where another process has the store.
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
  try {
    return lockStore(storeFiles(dataDir));
  } catch (error) {
    if (/^SQLITE_(READONLY|CANTOPEN|IOERR)|^EROFS$/.test(errorCode(error) ?? '')) return undefined;
    throw openError(error, dataDir);
  }
}
