/** Groups on their way back to the store, unsettled: they wait there, and are held in memory no more. */

import type { JobRow } from '../store/job.ts';
import type { Store } from '../store/store.ts';
import { type Clock, sleep } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import type { DeliveryGroup } from './hand-out.ts';

/** What the store could not do is tried again after this long. */
export const troubleMs = 5_000;

export interface ReturnsParts {
  store: Pick<Store, 'release' | 'postpone'>;
  clock: Clock;
  log: Log;
  /** Ends the wait between two tries. */
  signal: AbortSignal;
  /** Other mail for its destinations may go another way, so they are not held. */
  isSplit(group: DeliveryGroup): boolean;
  /** Told of what the store has back. */
  given(jobs: readonly JobRow[]): void;
}

export class Returns {
  readonly #parts: ReturnsParts;
  readonly #underWay = new Set<Promise<void>>();

  constructor(parts: ReturnsParts) {
    this.#parts = parts;
  }

  /** Gives a group back until that moment, however often it takes. Rejects only at the end. */
  begin(group: DeliveryGroup, until: number): Promise<void> {
    const work: Promise<void> = this.#giveBack(group, until).finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
    return work;
  }

  /** Resolves when all that has begun is over. */
  async done(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  async #giveBack(group: DeliveryGroup, until: number): Promise<void> {
    const { store, clock, log, signal, isSplit, given } = this.#parts;
    const { message, jobs } = group;
    for (;;) {
      try {
        if (isSplit(group)) await store.postpone(jobs, until);
        else await store.release(jobs, until);
        return given(jobs);
      } catch (error) {
        log.error(
          { err: error, queueId: message.queueId },
          'cannot give jobs back to the store; tried again',
        );
        await sleep(clock, troubleMs, signal);
      }
    }
  }
}
