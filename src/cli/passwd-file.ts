/** Accounts from a passwd-file as Dovecot has it: `user:{SCHEME}hash:uid:gid::home::extra`, one per line; `#` begins a comment. */

import type { AccountRow } from './account-rows.ts';

/** That it is one, and no CSV: a scheme, or at least two more fields, after the first colon. */
export function isPasswdFile(text: string): boolean {
  const first = linesOf(text).find((line) => !/^\s*(?:#|$)/.test(line)) ?? '';
  return /^[^\s,:#"][^,:"]*:(?:\{|[^,]*:[^,]*:)/.test(first);
}

const linesOf = (text: string): string[] => text.replace(/^\uFEFF/, '').split(/\r?\n/);

export function* passwdRows(text: string): Generator<AccountRow> {
  let number = 0;
  for (const line of linesOf(text)) {
    number += 1;
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [address = '', secret] = line.split(':'); // in clear, it ends at the next colon, as Dovecot reads it
    yield secret === undefined || secret === ''
      ? { line: number, problem: 'no password; write user:{ARGON2ID}hash' }
      : { line: number, address, secret };
  }
}
