/** When a certificate is asked for: pure arithmetic over what is known of it. RFC 9773 §4.2, RFC 8555 §6.6. */

import type { RenewalWindow } from './renewal-info.ts';

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** After this part of its life, where the authority gives no advice: of 90 days, 30 are left. */
const renewAfter = 2 / 3;
/** Of its life, earlier by up to so much: not all servers of the world come in the same minute. */
const jitter = 1 / 20;

/** The moment to renew; `random` from 0 to 1. An authority's window counts, if it does not end after the certificate. */
export function renewalTime(
  life: { notBefore: number; notAfter: number },
  window: RenewalWindow | undefined,
  random: number,
): number {
  if (window !== undefined && window.start < life.notAfter) {
    const end = Math.min(window.end, life.notAfter - (life.notAfter - life.notBefore) * jitter);
    return window.start + Math.max(0, end - window.start) * random;
  }
  const length = life.notAfter - life.notBefore;
  return life.notBefore + length * (renewAfter - jitter * random);
}

/** A certificate that is younger is not renewed by advice: an authority that means every one of them would have us ask for ever. */
export const leastAge = ({ notBefore, notAfter }: { notBefore: number; notAfter: number }): number =>
  Math.min(dayMs, (notAfter - notBefore) / 3);

/**
 * Waits after the first, second … failure in a row. Let's Encrypt bears five failures of one name within an hour; a server that
 * is started again and again counts them on.
 */
const waitsMs = [5 * minuteMs, 15 * minuteMs, hourMs, 3 * hourMs, 6 * hourMs, 12 * hourMs, dayMs];
/** A little more, so that names do not come together. */
const waitJitter = 1 / 10;
/** What an authority may ask for; one that wants to be left alone for longer is asked once in this time. */
export const longestRetryAfterMs = 7 * dayMs;

export function waitAfterFailure(failures: number, retryAfterMs: number | undefined, random: number): number {
  const own = waitsMs[Math.min(Math.max(failures, 1), waitsMs.length) - 1] ?? dayMs;
  const asked = Math.min(retryAfterMs ?? 0, longestRetryAfterMs);
  return Math.max(own * (1 + waitJitter * random), asked);
}

/** An authority's advice is asked for so often, whatever it says itself (RFC 9773 §4.3). */
export const adviceEvery = { leastMs: hourMs, usualMs: 6 * hourMs, mostMs: dayMs };

export const nextAdvice = (retryAfterMs: number | undefined): number =>
  Math.min(Math.max(retryAfterMs ?? adviceEvery.usualMs, adviceEvery.leastMs), adviceEvery.mostMs);
