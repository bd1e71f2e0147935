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

/**
 * Milliseconds of this thread's processor time; rejects with what `work` throws. Some systems move that clock with their
 * ticks only: of what is shorter the wall clock says more.
 */
export async function processorMs(work: () => unknown): Promise<number> {
  const before = process.threadCpuUsage();
  const start = performance.now();
  const result = work();
  if (result instanceof Promise) await result;
  const passedMs = performance.now() - start;
  const { user, system } = process.threadCpuUsage(before);
  return passedMs < tickMs ? passedMs : Math.max(tickMs, (user + system) / 1000);
}

const tickMs = 10;

/** The first try within the limit, or the best of all. */
export async function bestMs(work: () => unknown, limitMs: number): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let trial = 0; trial < tries && best > limitMs; trial++) {
    if (trial > 0) await sleep(trial * pauseMs);
    best = Math.min(best, await processorMs(work));
  }
  return best;
}

/**
 * How many times longer `whole` takes than `part`, each at its best; stops trying once that is no more than `most`.
 * What one try loses to others shows in one of the two only, and is gone in the next; what grows does so each time.
 */
export async function growthOf(part: () => unknown, whole: () => unknown, most: number): Promise<number> {
  let partMs = Number.POSITIVE_INFINITY;
  let wholeMs = Number.POSITIVE_INFINITY;
  for (let trial = 0; trial < tries && !(wholeMs / partMs <= most); trial++) {
    if (trial > 0) await sleep(trial * pauseMs);
    wholeMs = Math.min(wholeMs, await processorMs(whole));
    // As often as makes it long enough for the clock, even if it takes a sixteenth only.
    const times = Math.max(1, Math.round((20 * tickMs) / wholeMs));
    partMs = Math.min(partMs, (await processorMs(() => repeat(part, times))) / times);
  }
  return wholeMs / partMs;
}

async function repeat(work: () => unknown, times: number): Promise<void> {
  for (let left = times; left > 0; left--) await work();
}
