import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultRetryPolicy, nextAttempt, retryPolicy } from './retry.ts';

const { lifetimeMs, waitsMs: retryWaitsMs } = defaultRetryPolicy;
const minute = 60_000;
const middle = () => 0.5;

/** The moments of all attempts of a job that never succeeds, from its arrival at 0. */
function attemptsOf(random: () => number): number[] {
  const moments = [0];
  for (let attempts = 0, now = 0; ; attempts++) {
    const next = nextAttempt({ kind: 'remote', attempts, expiresAt: lifetimeMs }, now, random);
    if (next === undefined) return moments;
    moments.push(next);
    now = next;
  }
}

describe('nextAttempt()', () => {
  test('P7: comes after 5, 15, 30, 60, 120 and 240 minutes, then every 6 hours', () => {
    const moments = attemptsOf(middle);
    const waits = moments.slice(1).map((moment, index) => (moment - (moments[index] ?? 0)) / minute);
    expect(waits.slice(0, 9)).toEqual([5, 15, 30, 60, 120, 240, 360, 360, 360]);
    expect(new Set(waits.slice(6))).toEqual(new Set([360]));
  });

  test('not-7: gives up after five days, and not much before', () => {
    const [last] = attemptsOf(middle).slice(-1);
    expect(lifetimeMs).toBe(5 * 24 * 60 * minute);
    expect(last).toBeLessThanOrEqual(lifetimeMs);
    expect(last).toBeGreaterThan(lifetimeMs - 360 * minute);
  });

  test('spreads what failed together, by no more than 15 %', () => {
    fc.assert(
      fc.property(
        fc.nat(30),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempts, lot) => {
          const waitMs = retryWaitsMs[Math.min(attempts, retryWaitsMs.length - 1)] ?? 0;
          const at =
            nextAttempt({ kind: 'remote', attempts, expiresAt: Number.MAX_SAFE_INTEGER }, 1000, () => lot) ??
            0;
          expect(Math.abs(at - 1000 - waitMs)).toBeLessThanOrEqual(0.15 * waitMs + 1);
        },
      ),
    );
    const job = { kind: 'remote' as const, attempts: 0, expiresAt: lifetimeMs };
    expect(nextAttempt(job, 0, () => 0.1)).toBeLessThan(nextAttempt(job, 0, () => 0.9) ?? 0);
  });

  test('P7: follows the schedule of the configuration', () => {
    const keys = { retryMinutes: [1, 90], lifetimeHours: 3, delayWarningHours: 0, doubtMinutes: 7 };
    const policy = retryPolicy(keys);
    expect(policy).toMatchObject({ lifetimeMs: 180 * minute, delayWarningMs: Number.POSITIVE_INFINITY });
    const job = { kind: 'remote' as const, expiresAt: policy.lifetimeMs };
    const next = (attempts: number, now: number) => nextAttempt({ ...job, attempts }, now, middle, policy);
    expect([next(0, 0), next(1, minute), next(2, 91 * minute)]).toEqual([minute, 91 * minute, undefined]);
  });

  test('tries local recipients sooner: a disk that was full is mended within minutes', () => {
    const waits = Array.from({ length: 6 }, (_, attempts) =>
      nextAttempt({ kind: 'local', attempts, expiresAt: lifetimeMs }, 0, middle),
    );
    expect(waits).toEqual([10_000, 30_000, minute, 5 * minute, 15 * minute, 15 * minute]);
  });
});
