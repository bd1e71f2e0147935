/** Spool files that are shorter than their message: found at the start, as their content is only read when it is sent. */

import { join } from 'node:path';
import { sizeOf } from './size-of.ts';
import { spoolDirectory } from './spool.ts';

export interface SpoolDamage {
  /** Absolute path. */
  file: string;
  /** `is missing`, `has 7 octets of 100000`. */
  what: string;
}

/** Looks for each named file, of so many octets. Rejects with the system's error. */
export async function findSpoolDamage(
  dataDir: string,
  named: Iterable<readonly [name: string, sizeBytes: number]>,
): Promise<SpoolDamage[]> {
  const damage: SpoolDamage[] = [];
  for (const [name, sizeBytes] of named) {
    const file = join(spoolDirectory(dataDir), name);
    const size = await sizeOf(file);
    if (size === undefined) damage.push({ file, what: 'is missing' });
    else if (size < sizeBytes) damage.push({ file, what: `has ${size} octets of ${sizeBytes}` });
  }
  return damage;
}
