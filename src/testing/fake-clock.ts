/** A clock for tests, which stands still until it is told how much time has passed. */

import type { Clock } from '../util/clock.ts';

export interface FakeClock extends Clock {
  /** Lets `durationMs` pass: whatever falls due on the way is done in order, each at its own time. */
  advance(durationMs: number): void;
  /** The moments, in order, for which something is planned. */
  readonly planned: readonly number[];
}

interface Timer {
  at: number;
  action: () => void;
}

/** A clock that waits for nothing, but notes how long it should have. */
export function impatientClock(): { clock: Clock; delays: number[] } {
  const delays: number[] = [];
  const clock: Clock = {
    now: () => 0,
    after(delayMs, action) {
      delays.push(delayMs);
      queueMicrotask(action);
      return () => {};
    },
  };
  return { clock, delays };
}

/** `startMs` since the epoch; the default is a Monday noon. */
export function fakeClock(startMs = Date.UTC(2026, 0, 5, 12)): FakeClock {
  let nowMs = startMs;
  let timers: Timer[] = [];
  const remove = (gone: Timer) => {
    timers = timers.filter((timer) => timer !== gone);
  };
  return {
    now: () => nowMs,
    after(delayMs, action) {
      const timer = { at: nowMs + Math.max(0, delayMs), action };
      timers = [...timers, timer].sort((a, b) => a.at - b.at); // stable: equal times in the order of planning
      return () => remove(timer);
    },
    advance(durationMs) {
      const end = nowMs + durationMs;
      for (let next = timers[0]; next !== undefined && next.at <= end; next = timers[0]) {
        remove(next);
        nowMs = next.at;
        next.action();
      }
      nowMs = end;
    },
    get planned() {
      return timers.map(({ at }) => at);
    },
  };
}
