/**
 * Our own running server asked through its control socket, as its commands do, but from this process: in a millisecond
 * instead of the start of a program.
 */

import type { Admin } from '../../src/admin/admin.ts';
import { openAdmin } from '../../src/admin/open-admin.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { DossierEvent } from '../../src/dossier/event.ts';
import type { QueuePage } from '../../src/store/queue-store.ts';
import { retryQueue } from '../../src/testing/retry-queue.ts';
import { systemClock } from '../../src/util/clock.ts';
import { eventually } from '../wait.ts';
import type { Posthorn } from './posthorn.ts';

/** Opens one connection for all that `use` asks. */
export async function withAdmin<T>(server: Posthorn, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = await openAdmin(await loadConfig(server.configFile), systemClock);
  try {
    return await use(admin);
  } finally {
    await admin.close();
  }
}

/** The first so many jobs of the queue. */
export async function queued(server: Posthorn, limit = 1000): Promise<QueuePage['jobs']> {
  return withAdmin(server, async (admin) => (await admin.listQueue({ limit })).jobs);
}

/** What the dossiers say of a queue id, a Message-ID or an address, the newest message first. */
export async function traced(server: Posthorn, subject: string, limit = 100): Promise<DossierEvent[]> {
  return withAdmin(server, (admin) => admin.trace({ subject, limit }));
}

/** What finds no room in the schedule goes back to the store: asked for too often, it would only go to and fro. */
const betweenRetriesMs = 500;

/** Waits until nothing is queued any more; what waits for its time is tried at once, as often as it takes. */
export async function runEmpty(server: Posthorn, limitMs = 60_000): Promise<void> {
  let left: QueuePage['jobs'] = [];
  let retriedAt = 0;
  const isEmpty = async (admin: Admin) => {
    ({ jobs: left } = await admin.listQueue({ limit: 1000 }));
    const now = performance.now();
    if (now > retriedAt + betweenRetriesMs && left.some(isPostponed)) {
      await retryQueue(admin);
      retriedAt = now;
    }
    return left.length === 0 || undefined;
  };
  try {
    await withAdmin(server, (admin) => eventually('an empty queue', () => isEmpty(admin), limitMs));
  } catch (cause) {
    throw new Error(`${left.length} jobs are left, the first: ${JSON.stringify(left[0])}`, { cause });
  }
}

const isPostponed = ({ claimed, nextAttemptAt }: QueuePage['jobs'][number]): boolean =>
  !claimed && nextAttemptAt > Date.now();
