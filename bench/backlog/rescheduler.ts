/**
 * Gives the jobs of some destinations new times, through the store's own interface, in a process of its own. Argument: a
 * JSON object of DueOrder.
 */

import { openStore } from '../../src/store/sqlite/open.ts';
import { destinationOf } from './destinations.ts';

export interface DueOrder {
  dataDir: string;
  /** The first so many. */
  destinations: number;
  /** When the first of them is due, ms since the epoch, and how long after it the next one. */
  firstAt: number;
  everyMs: number;
}

async function reschedule({ dataDir, destinations, firstAt, everyMs }: DueOrder): Promise<void> {
  const store = await openStore({ dataDir });
  for (let number = 0; number < destinations; number += 1)
    await store.retryJobs({ destination: destinationOf(number) }, firstAt + number * everyMs);
  await store.close();
}

// The parent is this benchmark, which writes a DueOrder.
await reschedule(JSON.parse(process.argv[2] ?? '') as DueOrder);
