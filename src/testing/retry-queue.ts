/** For tests: what waits is tried now, as an operator wants it. */

import type { Admin } from '../admin/admin.ts';
import { orderSteps } from '../admin/order-steps.ts';
import type { QueueSelection } from '../admin/shapes/queue.ts';

/** Resolves to how many recipients were made due. */
export async function retryQueue(admin: Admin, selection: QueueSelection = {}): Promise<number> {
  let count = 0;
  for await (const jobs of orderSteps(admin, { selection, order: { kind: 'retry' }, by: 'an operator' }))
    count += jobs.length;
  return count;
}
