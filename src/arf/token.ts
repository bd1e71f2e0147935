/**
 * The token by which we know our own mail when somebody complains of it: it names the message, says until when it counts, and
 * only who has the key can make one. As the CFBL-Feedback-ID field takes it (RFC 9477 §3.2).
 */

import { createHmac, timingSafeEqual } from 'node:crypto';

const version = '1';
const dayMs = 24 * 3600_000;
/** Complaints of older mail count no more: nobody complains so late, and what was known of it is gone. */
export const tokenMs = 30 * dayMs;
/** Of the sum, in octets. */
const sumBytes = 15;
const pattern = /^1:([0-9A-Z]{1,40}):(\d{1,6}):([\w-]{20})$/;

/** For a message that is accepted now. */
export function makeToken(key: Buffer, queueId: string, now: number): string {
  const text = `${version}:${queueId}:${Math.floor((now + tokenMs) / dayMs)}`;
  return `${text}:${sumOf(key, text).toString('base64url')}`;
}

/** The message's queue id; undefined where the token is not ours, or its time is over. */
export function readToken(key: Buffer, token: string, now: number): string | undefined {
  const [, queueId, day, sum] = pattern.exec(token.trim()) ?? [];
  if (queueId === undefined || day === undefined || sum === undefined) return undefined;
  const expected = sumOf(key, `${version}:${queueId}:${day}`);
  if (!timingSafeEqual(Buffer.from(sum, 'base64url'), expected)) return undefined;
  return now < (Number(day) + 1) * dayMs ? queueId : undefined;
}

const sumOf = (key: Buffer, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest().subarray(0, sumBytes);
