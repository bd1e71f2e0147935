import { expect, test } from 'vitest';
import { isOver, lateAt, sentAt, timesOf, timesOfJob } from './sender-times.ts';

const hour = 3600_000;

test('timesOf() gives a job what is about time, and nothing for nearly all mail', () => {
  expect(timesOf(undefined)).toBeUndefined();
  expect(timesOf({ envid: 'x' })).toBeUndefined();
  const times = { deliverBy: { at: 5, mode: 'R' }, priority: 3, releaseAt: 4 } as const;
  expect(timesOf({ ...times, envid: 'x' })).toEqual(times);
});

test.each([
  ['is held until then, and its life begins there', { releaseAt: 5000 }, [5000, 5000 + hour]],
  ['is not held by a moment that is past', { releaseAt: 1 }, [1000, 1000 + hour]],
  ['ends when it is to be returned', { deliverBy: { at: 2000, mode: 'R' as const } }, [1000, 2000]],
  [
    'ends as usual where its sender is only told',
    { deliverBy: { at: 2000, mode: 'N' as const } },
    [1000, 1000 + hour],
  ],
  ['lives no longer for that', { deliverBy: { at: 9 * hour, mode: 'R' as const } }, [1000, 1000 + hour]],
])('mail %s', (_, requests, [nextAttemptAt, expiresAt]) => {
  expect(timesOfJob(requests, 1000, hour)).toEqual({ nextAttemptAt, expiresAt });
});

test('a sender waits from when he has let it go, and hears of a delay when he wants to', () => {
  expect(sentAt({ queuedAt: 10 })).toBe(10);
  expect(sentAt({ queuedAt: 10, requests: { releaseAt: 50 } })).toBe(50);
  expect(lateAt({ queuedAt: 10, requests: { releaseAt: 50 } }, hour)).toBe(50 + hour);
  expect(lateAt({ queuedAt: 10, requests: { deliverBy: { at: 70, mode: 'N' } } }, hour)).toBe(70);
  expect(lateAt({ queuedAt: 10, requests: { deliverBy: { at: 70, mode: 'R' } } }, hour)).toBe(10 + hour);
});

test('isOver() is about what is to be returned', () => {
  expect(isOver({ requests: { deliverBy: { at: 70, mode: 'R' } } }, 70)).toBe(true);
  expect(isOver({ requests: { deliverBy: { at: 70, mode: 'R' } } }, 69)).toBe(false);
  expect(isOver({ requests: { deliverBy: { at: 70, mode: 'N' } } }, 99)).toBe(false);
  expect(isOver({}, 99)).toBe(false);
});
