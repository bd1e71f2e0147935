/** What an account may be given to log in with: a password that every way in can carry, or a hash that we can check. */

import { maxCommandLineBytes } from '../pop3/session-options.ts';
import { longestPartBytes } from '../sasl/mechanisms.ts';
import { faultOfHash } from '../store/argon2-hash.ts';
import { AdminError } from './admin-error.ts';

/** What every way in can carry: POP3's PASS has the shortest line (SASL's parts have `longestPartBytes`). */
export const maxPasswordBytes = Math.min(longestPartBytes, maxCommandLineBytes - 'PASS \r\n'.length);
/** Throws an AdminError where it can be neither. */
export function checkCredential(
  password: string | undefined,
  hash: string | undefined,
): { password: string } | { hash: string } {
  if (hash === undefined) return { password: checkPassword(password ?? '') };
  const fault = faultOfHash(hash);
  if (fault === undefined) return { hash };
  throw new AdminError('bad-request', `This is a hash by argon2id ${fault}. Give the password itself.`);
}

/** SASL PLAIN separates its fields by NUL (RFC 4616 §2); line ends cannot be typed into any client. */
export function checkPassword(password: string): string {
  if (password === '') throw new AdminError('bad-request', 'The password is empty. Choose one.');
  if (Buffer.byteLength(password) > maxPasswordBytes) {
    throw new AdminError(
      'bad-request',
      `The password is longer than ${maxPasswordBytes} octets. Choose a shorter one.`,
    );
  }
  if (/[\0\r\n]/.test(password)) {
    throw new AdminError(
      'bad-request',
      'The password holds a NUL or a line end, which no mail client can send.',
    );
  }
  return password;
}
