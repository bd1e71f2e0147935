/** Reading from files that may be missing, on disks that may have bad places; and writing to the end. */

import { openSync, readFileSync, readSync, statSync, writeSync } from 'node:fs';
import { errorCode } from '../../errors.ts';

/** Throws the system's error, but for ENOENT. */
export function openIfThere(path: string, flags: 'r' | 'r+' = 'r'): number | undefined {
  return unlessMissing(() => openSync(path, flags));
}

/** Throws the system's error, but for ENOENT. */
export function readIfThere(path: string): Buffer | undefined {
  return unlessMissing(() => readFileSync(path));
}

/** Octets. Throws the system's error, but for ENOENT. */
export function sizeIfThere(path: string): number | undefined {
  return unlessMissing(() => statSync(path).size);
}

function unlessMissing<T>(action: () => T): T | undefined {
  try {
    return action();
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

/** Throws the system's error. */
export function writeAll(file: number, octets: Buffer, position: number): void {
  for (let done = 0; done < octets.length; )
    done += writeSync(file, octets, done, octets.length - done, position + done);
}
