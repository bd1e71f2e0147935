/** What takes away the file of a delivery that failed; why it failed stays what is told. */

import { unlink } from 'node:fs/promises';
import { errorCode } from './errors.ts';

/**
 * Does something with a file; where that fails, the file goes, and the error is the same. Where the file cannot be removed,
 * its text says so too.
 */
export async function orRemove<T>(path: string, action: () => T | Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const trouble = await remove(path);
    throw trouble === undefined || !(error instanceof Error) ? error : both(error, trouble);
  }
}

/** Another error, as several files may hear of one. */
function both(error: Error, trouble: unknown): Error {
  const text = `${error.message}; and what was written stays, as it cannot be removed (${String(trouble)})`;
  const code = errorCode(error);
  return Object.assign(new Error(text, { cause: error }), code !== undefined && { code });
}

/** Resolves to why it could not be removed; that it is not there is as well. */
async function remove(path: string): Promise<unknown> {
  try {
    await unlink(path);
    return undefined;
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? undefined : error;
  }
}
