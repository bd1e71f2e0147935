/** Answers that come late, by timers. Only so many wait at once: with more, there is no waiting, and the client is sent away. */

import { type Clock, sleep } from '../../util/clock.ts';

/** Sessions that wait for a late answer. */
export const maxDelayed = 500;

export class Tarpit {
  readonly #clock: Clock;
  #waiting = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Resolves after `delayMs`; at once, to false, where too many wait already. */
  async delay(delayMs: number): Promise<boolean> {
    if (this.#waiting >= maxDelayed) return false;
    this.#waiting++;
    try {
      await sleep(this.#clock, delayMs);
      return true;
    } finally {
      this.#waiting--;
    }
  }
}
