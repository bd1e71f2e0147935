/**
 * How long something takes, on a machine that others use too: what counts is the time that this thread had the
 * processor, and of several tries the best.
 */

import { setTimeout as sleep } from 'node:timers/promises';

const tries = 5;
/** The pause before the next try is longer each time: whatever else is busy may be done by then. */
const pauseMs = 100;

/** What any input may take, and what is added for each of its octets, which are read one by one and again; ms. */
const floorMs = 25;
const perOctetMs = 0.003;

/** The time that an input of so many octets may take with all its comparisons, milliseconds. */
export const limitFor = (octets: number): number => floorMs + Math.ceil(octets * perOctetMs);

/** Milliseconds by the wall clock; rejects with what `work` throws. */
export async function wallMs(work: () => unknown): Promise<number> {
  const start = performance.now();
  const result = work();
  if (result instanceof Promise) await result;
  return performance.now() - start;
}

/** Milliseconds of this thread's processor time; rejects with what `work` throws. */
export async function processorMs(work: () => unknown): Promise<number> {
  const before = process.threadCpuUsage();
  const result = work();
  if (result instanceof Promise) await result;
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

/** The first try within the limit, or the best of all. */
export async function bestMs(work: () => unknown, limitMs: number): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let trial = 0; trial < tries && best > limitMs; trial++) {
    if (trial > 0) await sleep(trial * pauseMs);
    best = Math.min(best, await processorMs(work));
  }
  return best;
}
