/**
 * What both ends of SCRAM-SHA-256 (RFC 5802, RFC 7677) compute and write alike: keys, proofs, attributes, and what binds
 * an exchange to the TLS connection it is held over (RFC 5056, 5929, 9266). Knows no protocol and no accounts.
 */

import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { prepare } from './prepare.ts';

export type ScramMechanism = 'SCRAM-SHA-256' | 'SCRAM-SHA-256-PLUS';

/** What a server keeps of a password (RFC 5802 §3): the password does not follow from it. */
export interface ScramKeys {
  /** Octets in base64, all three. */
  salt: string;
  storedKey: string;
  serverKey: string;
  iterations: number;
}

/** What identifies a TLS connection to both of its ends; undefined where it has nothing of that type. */
export type ChannelBinding = (type: string) => Buffer | undefined;

/** RFC 7677 §4: fewer make a stolen password file easy to crack. */
export const leastIterations = 4096;
/**
 * Of the keys that we make: some 20 ms for who logs in. They are what a thief of the store would try passwords on, since
 * they cost him less than argon2id does.
 */
export const ourIterations = 100_000;

/** Characters of one message, either way. */
export const longestMessage = 4096;

const hashBytes = 32;
const saltBytes = 16;
const nonceBytes = 18;
const derive = promisify(pbkdf2);

/** Printable, without a comma. */
export const newNonce = (): string => randomBytes(nonceBytes).toString('base64');

/** RFC 5802 §3: SaltedPassword, and the two keys that come from it. */
export async function keysOf(password: string, salt: Buffer, iterations: number) {
  const salted = await derive(prepare(password), salt, iterations, hashBytes, 'sha256');
  return { clientKey: hmac(salted, 'Client Key'), serverKey: hmac(salted, 'Server Key') };
}

/** `inSalt`, in base64: that of the other passwords of the same name, since a challenge has room for one. */
export async function makeScramKeys(password: string, inSalt?: string): Promise<ScramKeys> {
  const salt = inSalt === undefined ? randomBytes(saltBytes) : Buffer.from(inSalt, 'base64');
  const { clientKey, serverKey } = await keysOf(password, salt, ourIterations);
  return {
    salt: salt.toString('base64'),
    storedKey: hash(clientKey).toString('base64'),
    serverKey: serverKey.toString('base64'),
    iterations: ourIterations,
  };
}

/** The same for the same name each time, and the keys of no password: in the place of those of somebody who has none. */
export function pretendedKeys(secret: Buffer, user: string): ScramKeys {
  const made = (purpose: string) => hmac(secret, `${purpose} ${user}`);
  return {
    salt: made('salt').subarray(0, saltBytes).toString('base64'),
    storedKey: made('stored key').toString('base64'),
    serverKey: made('server key').toString('base64'),
    iterations: ourIterations,
  };
}

export const hash = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

export const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

export const xor = (one: Buffer, other: Buffer): Buffer =>
  Buffer.from(one.map((octet, index) => octet ^ (other[index] ?? 0)));

/** Each attribute is one letter, `=` and a value without commas; the first of a name counts. Undefined for what is none. */
export function attributesOf(message: string): { [name: string]: string | undefined } | undefined {
  const found: { [name: string]: string | undefined } = Object.create(null);
  for (const attribute of message.split(',')) {
    const [, name, value] = /^([A-Za-z])=(.*)$/s.exec(attribute) ?? [];
    if (name === undefined) return undefined;
    found[name] ??= value;
  }
  return found;
}

/** RFC 5802 §5.1: `=` and `,` mean something. */
export const escapeName = (name: string): string => name.replaceAll('=', '=3D').replaceAll(',', '=2C');

/** Undefined for an `=` that stands for neither. */
export const unescapeName = (name: string): string | undefined =>
  /=(?!3D|2C)/.test(name) ? undefined : name.replaceAll('=2C', ',').replaceAll('=3D', '=');
