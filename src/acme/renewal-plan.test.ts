import { describe, expect, it } from 'vitest';
import {
  adviceEvery,
  dayMs,
  hourMs,
  leastAge,
  longestRetryAfterMs,
  minuteMs,
  nextAdvice,
  renewalTime,
  waitAfterFailure,
} from './renewal-plan.ts';

const life = { notBefore: 0, notAfter: 90 * dayMs };

describe('renewalTime()', () => {
  it('is two thirds of the life, less some days by chance', () => {
    expect(renewalTime(life, undefined, 0)).toBe(60 * dayMs);
    expect(renewalTime(life, undefined, 1)).toBeCloseTo(55.5 * dayMs, -3);
    expect(renewalTime({ notBefore: 0, notAfter: 6 * dayMs }, undefined, 0)).toBe(4 * dayMs);
  });

  it('lies in the window that the authority suggests', () => {
    const window = { start: 50 * dayMs, end: 52 * dayMs };
    expect([0, 0.5, 1].map((random) => renewalTime(life, window, random) / dayMs)).toEqual([50, 51, 52]);
  });

  it('comes before the end, whatever the window', () => {
    expect(renewalTime(life, { start: 80 * dayMs, end: 200 * dayMs }, 1)).toBe(85.5 * dayMs);
    expect(renewalTime(life, { start: 100 * dayMs, end: 200 * dayMs }, 0)).toBe(60 * dayMs);
  });
});

describe('waitAfterFailure()', () => {
  it('grows to a day', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8, 100].map((failures) => waitAfterFailure(failures, undefined, 0));
    expect(waits.map((wait) => wait / minuteMs)).toEqual([5, 15, 60, 180, 360, 720, 1440, 1440, 1440]);
    expect(waitAfterFailure(1, undefined, 1)).toBe(5.5 * minuteMs);
  });

  it('is what the authority asks for, if that is longer, up to a week', () => {
    expect(waitAfterFailure(1, hourMs, 0)).toBe(hourMs);
    expect(waitAfterFailure(7, hourMs, 0)).toBe(dayMs);
    expect(waitAfterFailure(1, 365 * dayMs, 0)).toBe(longestRetryAfterMs);
  });
});

it('nextAdvice() comes as the authority says, within reason', () => {
  expect([undefined, 0, 3 * hourMs, 365 * dayMs].map(nextAdvice)).toEqual([
    adviceEvery.usualMs,
    adviceEvery.leastMs,
    3 * hourMs,
    adviceEvery.mostMs,
  ]);
});

it('leastAge() is a day, or a third of a life that is short', () => {
  expect([leastAge(life), leastAge({ notBefore: 0, notAfter: 6 * hourMs })]).toEqual([dayMs, 2 * hourMs]);
});
