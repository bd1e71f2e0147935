/** What a thread still holds after everything that can go has gone. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Octets by which the memory in use may grow between the beginning and the end of a target's run. */
export const maxGrowthBytes = 16 * 2 ** 20;

type Collect = () => void;

let collect: Collect | undefined;

/** The collector is hidden unless a flag was set before a context was made. */
function collector(): Collect {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  if (typeof gc !== 'function') throw new Error('Cannot find the garbage collector');
  return () => void gc();
}

/** The memory of buffers is swept beside the collection, and known to be free at a later one. */
const collections = 3;

/** Octets in use by this thread, buffers included. */
export async function heldBytes(): Promise<number> {
  collect ??= collector();
  for (let left = collections; left > 0; left--) {
    collect();
    await nextTurn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
