/** Clocks that a real one never is: one that runs too fast, one that jumps while the timers go on. */

import type { Clock } from '../../src/util/clock.ts';

/** An hour takes 3600 / `factor` seconds, for those who look at it and for those who wait by it. */
export function fastClock(factor: number): Clock {
  const startedAt = Date.now();
  const real = performance.now();
  return {
    now: () => Math.round(startedAt + (performance.now() - real) * factor),
    after(delayMs, action) {
      const timer = setTimeout(action, Math.max(0, delayMs) / factor);
      return () => clearTimeout(timer);
    },
  };
}

export interface JumpingClock extends Clock {
  /** Puts the hands forward, or back. Timers go on as if nothing had happened, as the system's do. */
  jump(byMs: number): void;
  /** How many timers were set so far. */
  readonly timersSet: number;
}

export function jumpingClock(): JumpingClock {
  let offsetMs = 0;
  let timersSet = 0;
  return {
    now: () => Date.now() + offsetMs,
    after(delayMs, action) {
      timersSet += 1;
      // As systemClock does it: longer waits are cut, and the caller looks again.
      const timer = setTimeout(action, Math.min(Math.max(0, delayMs), 2 ** 31 - 1));
      return () => clearTimeout(timer);
    },
    jump(byMs) {
      offsetMs += byMs;
    },
    get timersSet() {
      return timersSet;
    },
  };
}
