/** The names in a directory that may not be there. */

import { readdir } from 'node:fs/promises';
import { errorCode } from './errors.ts';

/** None where there is no such directory. Rejects with other errors of the system. */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}
