/** What is begun is brought to an end: by the delivery itself, or, should that crash, by putting the jobs off. */

import type { NewMessage, Settlement } from '../store/queue-store.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import type { DeliveryGroup } from './hand-out.ts';
import type { FullLine, SiteTrouble } from './sites.ts';
import type { Suspension } from './suspensions.ts';

/** Why a group is not tried: its site was not reached before, or takes too little, or an operator wants it so. */
export type NotTried = SiteTrouble | FullLine | Suspension;

/**
 * Tries a group and settles it; resolves to whether its site was reached, or why not; undefined where that was not
 * asked. With `untried` it is not tried, and this is settled. A rejection is a bug: the jobs come again after
 * `crashWaitMs`.
 */
export type Deliver = (
  group: DeliveryGroup,
  signal: AbortSignal,
  untried?: NotTried,
) => Promise<'reached' | SiteTrouble | undefined>;

export interface AttemptsParts {
  clock: Clock;
  log: Log;
  /** Ends what is under way. */
  signal: AbortSignal;
  deliver: Deliver;
  settle(settlement: Omit<Settlement, 'reports'> & { reports: Omit<NewMessage, 'claimed'>[] }): Promise<void>;
}

/** A group whose delivery crashed is tried again after this long: a bug must neither lose mail nor spin. */
const crashWaitMs = 3600_000;

export class Attempts {
  readonly #parts: AttemptsParts;

  constructor(parts: AttemptsParts) {
    this.#parts = parts;
  }

  /** Never rejects; undefined also where the delivery crashed, which says nothing of the site. */
  async make(group: DeliveryGroup, untried?: NotTried): Promise<'reached' | SiteTrouble | undefined> {
    const { deliver, signal } = this.#parts;
    try {
      return await deliver(group, signal, untried);
    } catch (error) {
      await this.#postpone(group, error);
      return undefined;
    }
  }

  async #postpone({ message: { queueId }, jobs }: DeliveryGroup, error: unknown): Promise<void> {
    const { clock, log, settle } = this.#parts;
    log.error({ err: error, queueId }, 'delivery crashed; it is tried again later');
    const again = { result: 'retry' as const, nextAttemptAt: clock.now() + crashWaitMs };
    const results = jobs.map(({ number, memo }) => ({
      number,
      ...again,
      lastError: 'internal error; see the log',
      ...(memo && { memo }),
    }));
    try {
      await settle({ queueId, results, events: [], reports: [] });
    } catch (cause) {
      log.error(
        { err: cause, queueId },
        'that cannot be written either; its jobs come back at the next start',
      );
    }
  }
}
