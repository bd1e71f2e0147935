/**
 * Gives the jobs of some destinations new times, through the store's own interface, in a process of its own. Argument: a
 * JSON object of DueOrder.
 */

import { openStore } from '../../src/store/sqlite/open.ts';
import type { Store } from '../../src/store/store.ts';
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
    await makeDue(store, destinationOf(number), firstAt + number * everyMs);
  await store.close();
}

async function makeDue(store: Store, destination: string, now: number): Promise<void> {
  const step = {
    filter: { destination },
    change: { kind: 'retry' },
    now,
    by: 'a benchmark',
    limit: 1000,
  } as const;
  const events = { done: { event: 'retried', data: {} } };
  for (let after: string | undefined, first = true; first || after !== undefined; first = false)
    ({ next: after } = await store.changeJobs({ ...step, events, ...(after !== undefined && { after }) }));
}

// The parent is this benchmark, which writes a DueOrder.
await reschedule(JSON.parse(process.argv[2] ?? '') as DueOrder);
