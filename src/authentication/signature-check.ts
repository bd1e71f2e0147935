/**
 * The mathematics of signatures: does this one belong to these octets and this key? What takes longer than handing it over
 * is done in the thread pool. RFC 6376 §6.1.3, RFC 8463 §3.
 */

import { createHash, verify as cryptoVerify, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { MaybePromise } from '../util/maybe-promise.ts';
import type { FoundKey, PublicKey } from './key-record.ts';
import type { Signature } from './signature.ts';

const verifyInThreadPool = promisify(
  (
    algorithm: string | null,
    data: Buffer,
    key: KeyObject,
    signature: Buffer,
    done: (error: Error | null, result: boolean) => void,
  ) => cryptoVerify(algorithm, data, key, signature, done),
);

/** What became of one signature; `key` where one was found that could be used. */
export type SignatureCheck = { key?: PublicKey; record?: string } & (
  | { result: 'pass' }
  | { result: 'fail' | 'policy' | 'permerror' | 'temperror'; reason: string }
);

/** `covered`: the canonical octets that were signed. */
export async function checkSignature(
  signature: Signature,
  found: FoundKey,
  covered: Buffer,
): Promise<SignatureCheck> {
  if (found.status === 'failed') return { result: 'temperror', reason: found.detail };
  if (found.status === 'absent') return { result: 'permerror', reason: found.problem };
  if (found.status === 'unusable')
    return { result: found.isWeak ? 'policy' : 'permerror', reason: found.problem, record: found.text };
  const { key, text: record } = found;
  if (!signature.algorithm.startsWith(`${key.type}-`))
    return { result: 'permerror', reason: `the key is of type ${key.type}, a= says otherwise`, record };
  const isTrue = await isSigned(key, covered, signature.value);
  return isTrue
    ? { result: 'pass', key, record }
    : {
        result: 'fail',
        reason: 'the signature does not belong to these header fields and this key',
        key,
        record,
      };
}

/**
 * 20 µs with RSA keys of this size, which nearly everybody has; by way of the pool twice as much, half of it on this
 * thread. Larger ones take 70 µs and up, Ed25519 100.
 */
const quickRsaBits = 2048;
/** Octets whose SHA-256 adds no more than that. */
const quickOctets = 16 * 1024;

/** RSA signs the SHA-256 of the octets; Ed25519 signs the 32 octets of it as its message. */
function isSigned({ key, type, bits }: PublicKey, covered: Buffer, value: Buffer): MaybePromise<boolean> {
  if (type === 'rsa' && bits <= quickRsaBits && covered.length <= quickOctets)
    return cryptoVerify('sha256', covered, key, value);
  if (type === 'rsa') return verifyInThreadPool('sha256', covered, key, value);
  return verifyInThreadPool(null, createHash('sha256').update(covered).digest(), key, value);
}
