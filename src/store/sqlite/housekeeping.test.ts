import { expect, test } from 'vitest';
import { keepTidy } from './housekeeping.ts';
import type { Link } from './link.ts';

/** A clock whose one timer the test fires, and a store that has pages to reclaim for `steps` steps. */
function world({ idle = true, steps = 3 } = {}) {
  let timer: (() => void) | undefined;
  const delays: number[] = [];
  let calls = 0;
  // Only what housekeeping uses of a link is there.
  const link = { idle, call: async () => ++calls < steps } as unknown as Link;
  const clock = {
    now: () => 0,
    after(delayMs: number, action: () => void) {
      delays.push(delayMs);
      timer = action;
      return () => {
        timer = undefined;
      };
    },
  };
  const stop = keepTidy(link, clock);
  const fire = async () => {
    const action = timer;
    timer = undefined;
    action?.();
    await new Promise(setImmediate);
  };
  return { stop, fire, delays, calls: () => calls, waits: () => timer !== undefined };
}

test('keepTidy() reclaims by steps until nothing is left, and looks again later', async () => {
  const { fire, calls, delays } = world();
  await fire();
  expect(calls()).toBe(3);
  expect(delays).toEqual([10_000, 10_000]);
});

test('keepTidy() does not work for long at once, but goes on soon where there is more', async () => {
  const { fire, calls, delays } = world({ steps: 100 });
  await fire();
  expect(calls()).toBe(64);
  expect(delays).toEqual([10_000, 500]);
});

test('keepTidy() leaves a busy store alone', async () => {
  const { fire, calls, waits } = world({ idle: false });
  await fire();
  expect(calls()).toBe(0);
  expect(waits()).toBe(true);
});

test('keepTidy() stops when told, also in the middle of a look', async () => {
  const { stop, fire, waits } = world();
  const fired = fire();
  stop();
  await fired;
  expect(waits()).toBe(false);
});
