/** Passwords that nobody thinks up. */

import { randomBytes } from 'node:crypto';

/** 120 bits of randomness, in 20 characters that need no quoting anywhere. */
export const generatePassword = (): string => randomBytes(15).toString('base64url');

const letters = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * Five groups of four that can be typed on a telephone: `k3hx-…`. The first names it among those of its account and is kept
 * in clear; the other four are 80 bits.
 */
export function generateAppPassword(): string {
  const chars = [...randomBytes(20)].map((octet) => letters[octet % letters.length]).join('');
  return (chars.match(/.{4}/g) ?? []).join('-');
}
