/** The directories, with the rights that keep others out. */

import { chmod, mkdir } from 'node:fs/promises';
import { isThere } from './machine.ts';
import { configDirectory, type Places } from './places.ts';
import type { StepOutcome } from './step.ts';

/** What is there keeps what is in it; only who may enter is put right. */
export async function ensureDirectories(places: Places): Promise<StepOutcome> {
  const wanted: [path: string, mode: number][] = [
    [configDirectory(places), 0o755],
    [places.keys, 0o700],
    [places.dataDir, 0o700],
  ];
  const made: string[] = [];
  for (const [path, mode] of wanted) {
    if (!(await isThere(path))) made.push(path);
    await mkdir(path, { recursive: true, mode });
    await chmod(path, mode); // mkdir's is cut by the umask
  }
  if (made.length === 0)
    return { value: undefined, state: 'kept', what: wanted.map(([path]) => path).join(', ') };
  return { value: undefined, state: 'done', what: made.join(', ') };
}
