/** Puts a wreck into a directory, in memory where there is room: whether the copy is durable is of no interest. */

import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writevSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Wreck } from '../disk/wreck.ts';

/** Makes the directory, and in it what the wreck has. */
export function layOut({ directories, files }: Wreck, directory: string): void {
  mkdirSync(directory);
  for (const path of directories) mkdirSync(join(directory, path), { mode: 0o700 });
  for (const { path, image } of files) writePieces(join(directory, path), image.pieces());
}

/** writev(2) takes so many at once. */
const piecesAtOnce = 1024;

function writePieces(path: string, pieces: readonly Buffer[]): void {
  const descriptor = openSync(path, 'w', 0o600);
  for (let start = 0; start < pieces.length; start += piecesAtOnce)
    writevSync(descriptor, pieces.slice(start, start + piecesAtOnce));
  closeSync(descriptor);
}

export const clear = (directory: string): void => rmSync(directory, { recursive: true, force: true });

/** Some disks of 20 MiB at once, and what servers make of them. */
const roomNeeded = 256 * 2 ** 20;

/** A new directory, in memory if possible. */
export function scratchDirectory(): Promise<string> {
  return mkdtemp(join(hasRoom('/dev/shm') ? '/dev/shm' : tmpdir(), 'posthorn-crash-'));
}

function hasRoom(directory: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize > roomNeeded;
  } catch {
    return false; // no such directory here
  }
}
