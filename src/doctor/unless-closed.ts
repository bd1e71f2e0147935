/** For looks at files of this machine: what is not there, or may not be looked at, is told by whoever needs it, not by an error here. */

import { errorCode } from '../store/errors.ts';

const closed: ReadonlySet<string | undefined> = new Set(['ENOENT', 'EACCES', 'ENOTDIR']);

/** Undefined where nothing is there or this user may not look; rejects with any other error. */
export async function unlessClosed<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (closed.has(errorCode(error))) return undefined;
    throw error;
  }
}
