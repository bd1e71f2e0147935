/** An order to the queue, given step after step until it is done: what each step did is known, however it ends. */

import type { Admin } from './admin.ts';
import type { QueueOrderRequest, QueueOrderResult } from './shapes/queue.ts';

/** Yields what each step has changed. */
export async function* orderSteps(
  admin: Pick<Admin, 'orderQueue'>,
  request: Omit<QueueOrderRequest, 'after'>,
): AsyncGenerator<QueueOrderResult['jobs']> {
  for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
    const { jobs, next } = await admin.orderQueue(after === undefined ? request : { ...request, after });
    yield jobs;
    after = next;
  }
}
