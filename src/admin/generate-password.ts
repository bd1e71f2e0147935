/** Passwords that nobody thinks up. */

import { randomBytes } from 'node:crypto';

/** 120 bits of randomness, in 20 characters that need no quoting anywhere. */
export const generatePassword = (): string => randomBytes(15).toString('base64url');
