/**
 * What an earlier run has left in the spool that no message names: files whose transaction never came, and those that
 * were kept for the next message. They go; but where it is not certain that the store knows all its messages, a file with
 * octets may be the last copy of one, and is set aside.
 */

import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createDirectory, syncDirectory } from './directory-sync.ts';
import { spoolDirectory } from './spool.ts';

/** Where files are set aside. */
export const orphansDirectory = (dataDir: string): string => join(dataDir, 'orphans');

export interface Sweep {
  removed: number;
  setAside: number;
}

export interface SweepOptions {
  dataDir: string;
  /** The files that messages name. */
  named: ReadonlySet<string>;
  /** Some message may be missing that was accepted. */
  isDoubtful: boolean;
}

/** Rejects with the system's error. */
export async function sweepSpool({ dataDir, named, isDoubtful }: SweepOptions): Promise<Sweep> {
  const directory = spoolDirectory(dataDir);
  const orphans = (await readdir(directory)).filter((name) => !named.has(name));
  const sweep: Sweep = { removed: 0, setAside: 0 };
  for (const name of orphans) {
    const path = join(directory, name);
    if (isDoubtful && (await stat(path)).size > 0) {
      await setAside(dataDir, path, name);
      sweep.setAside += 1;
    } else {
      await rm(path, { force: true });
      sweep.removed += 1;
    }
  }
  return sweep;
}

async function setAside(dataDir: string, path: string, name: string): Promise<void> {
  const directory = orphansDirectory(dataDir);
  await createDirectory(directory);
  let target = join(directory, name);
  // Names are drawn from the clock, which may have been put back.
  for (let number = 1; existsSync(target); number++) target = join(directory, `${name}.${number}`);
  await rename(path, target);
  await syncDirectory(directory);
}
