/** Reading from files that may be missing, on disks that may have bad places. */

import { openSync, readSync } from 'node:fs';
import { errorCode } from '../../errors.ts';

/** Throws the system's error, but for ENOENT. */
export function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Fills `octets` from `position` on and returns how many there were, or undefined where the disk cannot read them (EIO).
 * Throws other errors of the system.
 */
export function readInto(file: number, octets: Buffer, position: number): number | undefined {
  try {
    let done = 0;
    for (let got = -1; got !== 0 && done < octets.length; done += got)
      got = readSync(file, octets, done, octets.length - done, position + done);
    return done;
  } catch (error) {
    if (errorCode(error) === 'EIO') return undefined;
    throw error;
  }
}
