/** How faults change the records of a model: at one name, or from one name to another. */

import type { NameRecords } from '../../dns/zone-data.ts';
import type { Records } from '../dns-stage.ts';
import type { Planting } from './fault.ts';

/** Puts `changes` in the place of what is at a name; undefined takes a type away. */
export function edit(
  records: Records,
  name: string,
  changes: { [Type in keyof NameRecords]: NameRecords[Type] | undefined },
) {
  const { ...after } = { ...records[name], ...changes };
  for (const [type, value] of Object.entries(changes))
    if (value === undefined) delete after[type as keyof NameRecords];
  // What is undefined has just been taken out.
  records[name] = after as NameRecords;
}

export const textAt = ({ zone }: Planting, name: string): string => zone[name]?.TXT?.[0] ?? '';

/** Moves what is at a name to another. */
export function move({ zone }: Planting, from: string, to: string) {
  zone[to] = zone[from] ?? {};
  delete zone[from];
}
