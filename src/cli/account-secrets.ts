/** What other servers' lists of accounts have in the place of a password: the password itself, a hash of ours, or another's. */

import type { NewAccount } from '../admin/shapes/accounts.ts';
import { faultOfHash } from '../store/argon2-hash.ts';

/** `unusable` names what kind of hash it is: nobody can make a password of it, nor can we check one with it. */
export type Secret = Pick<NewAccount, 'password' | 'hash'> | { unusable: string };

/** Dovecot's names of a password in clear. */
const clearSchemes = new Set(['PLAIN', 'CLEAR', 'CLEARTEXT']);

/** Others' hashes that are known by how they begin: crypt(3), and what PHC strings there are besides argon2id. */
const foreignHash = /^\$(?:(2[abxy]?|1|5|6|7|y|gy|sha1|argon2i|argon2d|scrypt|pbkdf2[\w-]*)\$|md5[$,])/;

const cryptNames: Record<string, string> = { 1: 'MD5-CRYPT', 5: 'SHA256-CRYPT', 6: 'SHA512-CRYPT' };

/** As it stands after `{SCHEME}`, or alone. */
export function readSecret(text: string): Secret {
  const [, scheme, rest = ''] = /^\{([A-Z\d][A-Z\d.-]*)\}(.*)$/is.exec(text) ?? [];
  if (scheme === undefined) return readPlainSecret(text);
  if (clearSchemes.has(scheme.toUpperCase())) return { password: rest };
  // {CRYPT} and the like may stand before anything that says itself what it is.
  if (/^\$argon2id\$/.test(rest)) return argon2id(rest);
  return { unusable: scheme.toUpperCase() };
}

function argon2id(hash: string): Secret {
  const fault = faultOfHash(hash);
  return fault === undefined ? { hash } : { unusable: `argon2id ${fault}` };
}

function readPlainSecret(text: string): Secret {
  if (/^\$argon2id\$/.test(text)) return argon2id(text);
  const [, name] = foreignHash.exec(text) ?? [];
  if (name !== undefined)
    return { unusable: cryptNames[name] ?? (name.startsWith('2') ? 'BLF-CRYPT' : name) };
  return foreignHash.test(text) ? { unusable: 'MD5' } : { password: text };
}
