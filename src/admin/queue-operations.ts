/**
 * What operators see of the queue (queue-listing.ts) and do to it (queue-orders.ts), with the server's memory in mind: what waits
 * there would else be tried as it was. Knows neither sockets nor terminals.
 */

import type { Matches } from '../queue/matches.ts';
import type { Admin } from './admin.ts';
import { countQueue, type ListingParts, listQueue } from './queue-listing.ts';
import { type OrderParts, orderQueue } from './queue-orders.ts';
import { matchesIn } from './queue-places.ts';
import type { QueueOrder, QueueOrderRequest, QueueOrderResult } from './shapes/queue.ts';

export type QueueOperations = Pick<Admin, 'listQueue' | 'countQueue' | 'orderQueue'>;

export interface QueueOperationsParts extends ListingParts, OrderParts {
  directory: OrderParts['directory'];
  /**
   * Lets nothing that matches begin until the returned function is called; with `recall`, has it in the store. Absent: no
   * server.
   */
  withhold?: ((matches: Matches, recall: boolean) => Promise<() => void>) | undefined;
}

export function queueOperations(parts: QueueOperationsParts): QueueOperations {
  return {
    listQueue: (request) => listQueue(parts, request),
    countQueue: (request) => countQueue(parts, request),
    orderQueue: (request) => withholding(parts, request, () => orderQueue(parts, request)),
  };
}

/** Orders about what is to be tried as it is, or is not in memory. */
const leavesAlone = new Set<QueueOrder['kind']>(['retry', 'release']);

/** So long after one step the next one may come, before what was selected is tried again. */
const betweenStepsMs = 2000;

/** Before what waits is changed, it must not wait in memory: there it would be tried as it was. Once is enough. */
async function withholding(
  parts: QueueOperationsParts,
  { selection, order, after }: QueueOrderRequest,
  work: () => Promise<QueueOrderResult>,
): Promise<QueueOrderResult> {
  // What is held, or being tried, does not wait in memory.
  const isElsewhere = selection.state === 'held' || selection.state === 'underway';
  if (leavesAlone.has(order.kind) || isElsewhere) return work();
  const end = await parts.withhold?.(matchesIn(selection, parts.directory), after === undefined);
  try {
    return await work();
  } finally {
    if (end) parts.clock.after(betweenStepsMs, end);
  }
}
