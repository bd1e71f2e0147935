/** The size of a file that may not be there. */

import { stat } from 'node:fs/promises';
import { errorCode } from './errors.ts';

/** Octets; undefined where there is no such file. Rejects with other errors of the system. */
export async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
