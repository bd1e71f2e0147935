/** When a job that did not succeed is tried again, and when it is given up. Pure. */

import type { JobRow } from '../store/store.ts';

const minute = 60_000;
const hour = 60 * minute;

/** Waits after the first, second … attempt; the last one repeats (RFC 5321 §4.5.4.1 asks for 30 minutes or more, soon). */
export const retryWaitsMs: readonly number[] = [5, 15, 30, 60, 120, 240, 360].map(
  (minutes) => minutes * minute,
);

/** Waits of local jobs: what holds them up is a full or failing disk of ours, which is mended sooner. */
export const localRetryWaitsMs: readonly number[] = [minute / 6, minute / 2, minute, 5 * minute, 15 * minute];

/** A message is given up this long after it was queued (RFC 5321 §4.5.4.1: at least 4–5 days). */
export const lifetimeMs = 5 * 24 * hour;

/** Every wait is drawn from this share around its value, so that what failed together is not retried together. */
const jitter = 0.15;

/**
 * The next attempt of a job whose attempt has just ended, in ms since the epoch; undefined when that would be after
 * its end. `random` gives numbers in [0, 1).
 */
export function nextAttempt(
  job: Pick<JobRow, 'kind' | 'attempts' | 'expiresAt'>,
  now: number,
  random: () => number,
): number | undefined {
  const waits = job.kind === 'local' ? localRetryWaitsMs : retryWaitsMs;
  const waitMs = waits[Math.min(job.attempts, waits.length - 1)] ?? hour;
  const at = Math.round(now + waitMs * (1 + jitter * (2 * random() - 1)));
  return at > job.expiresAt ? undefined : at;
}
