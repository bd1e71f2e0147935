/** When a job that did not succeed is tried again, and when it is given up. Pure. */

import type { DeliveryConfig } from '../config/sending.ts';
import type { JobRow } from '../store/job.ts';

const minute = 60_000;
const hour = 60 * minute;

/** All times in ms. */
export interface RetryPolicy {
  /** After the first, second … attempt; the last one repeats. */
  waitsMs: readonly number[];
  /** A message is given up this long after it was queued. */
  lifetimeMs: number;
  /** Its sender is told of the delay after this; never, where it is infinite. */
  delayWarningMs: number;
  /** An attempt whose result is not known is not repeated before this. */
  doubtWaitMs: number;
}

export function retryPolicy({
  retryMinutes,
  lifetimeHours,
  delayWarningHours,
  doubtMinutes,
}: Pick<
  DeliveryConfig,
  'retryMinutes' | 'lifetimeHours' | 'delayWarningHours' | 'doubtMinutes'
>): RetryPolicy {
  return {
    waitsMs: retryMinutes.map((minutes) => minutes * minute),
    lifetimeMs: lifetimeHours * hour,
    delayWarningMs: delayWarningHours === 0 ? Number.POSITIVE_INFINITY : delayWarningHours * hour,
    doubtWaitMs: doubtMinutes * minute,
  };
}

/** Waits of local jobs: what holds them up is a full or failing disk of ours, which is mended sooner. */
export const localRetryWaitsMs: readonly number[] = [minute / 6, minute / 2, minute, 5 * minute, 15 * minute];

/** What a configuration that says nothing means (RFC 5321 §4.5.4.1: at least 4–5 days). */
export const defaultRetryPolicy: RetryPolicy = retryPolicy({
  retryMinutes: [5, 15, 30, 60, 120, 240, 360],
  lifetimeHours: 5 * 24,
  delayWarningHours: 4,
  doubtMinutes: 10,
});

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
  { waitsMs }: Pick<RetryPolicy, 'waitsMs'> = defaultRetryPolicy,
): number | undefined {
  const waits = job.kind === 'local' ? localRetryWaitsMs : waitsMs;
  const waitMs = waits[Math.min(job.attempts, waits.length - 1)] ?? hour;
  return within(job, Math.round(now + waitMs * (1 + jitter * (2 * random() - 1))));
}

/** Attempts that were made: steps of the schedule, without those in which nothing was tried. */
export const attemptsMade = ({ attempts, memo }: Pick<JobRow, 'attempts' | 'memo'>): number =>
  attempts - (memo?.putOff ?? 0);

/** That moment, unless the job is at its end by then. */
export const within = ({ expiresAt }: Pick<JobRow, 'expiresAt'>, at: number): number | undefined =>
  at > expiresAt ? undefined : at;
