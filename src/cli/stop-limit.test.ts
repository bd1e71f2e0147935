import { expect, test } from 'vitest';
import { fakeClock } from '../testing/fake-clock.ts';
import { stopLimitMs, withinStopLimit } from './stop-limit.ts';

test('withinStopLimit() resolves with the stop, and leaves no timer', async () => {
  const clock = fakeClock();
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = withinStopLimit(promise, clock);
  clock.advance(stopLimitMs - 1);
  resolve();
  await done;
  expect(clock.planned).toEqual([]);
});

test('withinStopLimit() rejects with exit code 70 where the stop does not end', async () => {
  const clock = fakeClock();
  const done = withinStopLimit(new Promise(() => {}), clock);
  clock.advance(stopLimitMs);
  await expect(done).rejects.toMatchObject({ exitCode: 70 });
});

test('withinStopLimit() rejects as the stop does', async () => {
  const clock = fakeClock();
  await expect(withinStopLimit(Promise.reject(new Error('no disk')), clock)).rejects.toThrow('no disk');
  expect(clock.planned).toEqual([]);
});
