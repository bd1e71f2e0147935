/** Keys of certificates, and what DNS says of them. */

import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyPair } from '../net/key-pair.ts';

const generate = promisify(generateKeyPair);

/** ECDSA P-256, or RSA of 2048 bits, which is some work. */
export async function newKey(type: 'ecdsa' | 'rsa'): Promise<KeyObject> {
  if (type === 'rsa') return (await generate('rsa', { modulusLength: 2048 })).privateKey;
  return (await generate('ec', { namedCurve: 'P-256' })).privateKey;
}

/** Of its public key, in hexadecimal: TLSA 3 1 1 (RFC 6698 §2.1). */
export const spkiSha256 = (key: KeyObject): string =>
  createHash('sha256')
    .update(createPublicKey(key).export({ type: 'spki', format: 'der' }))
    .digest('hex');

export const keyOf = ({ key }: KeyPair): KeyObject => createPrivateKey(key);
