/** Writing what an attempt came to, also where the disk has no room for it now. */

import { StoreFullError } from '../store/errors.ts';
import type { Settlement } from '../store/queue-store.ts';
import type { Store } from '../store/store.ts';
import { type Clock, sleep } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import { troubleMs } from './returns.ts';

export interface SettleParts {
  store: Pick<Store, 'settle'>;
  clock: Clock;
  log: Log;
  /** Ends the wait for room. */
  signal: AbortSignal;
}

/**
 * Resolves when it is on disk. On a full one the result waits, and keeps its place in the schedule: without it the
 * message would go out again.
 */
export async function settleWithRoom(
  { store, clock, log, signal }: SettleParts,
  settlement: Settlement,
): Promise<void> {
  for (;;) {
    try {
      return await store.settle(settlement);
    } catch (error) {
      if (!(error instanceof StoreFullError)) throw error;
      log.error({ queueId: settlement.queueId }, 'the disk is full; the result of a delivery waits for room');
      await sleep(clock, troubleMs, signal);
    }
  }
}
