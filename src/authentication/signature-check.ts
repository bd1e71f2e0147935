/**
 * The mathematics of signatures, in the thread pool: does this signature belong to these octets and this key?
 * RFC 6376 §6.1.3, RFC 8463 §3.
 */

import { createHash, verify as cryptoVerify, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
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

/** RSA signs the SHA-256 of the octets; Ed25519 signs the 32 octets of it as its message. */
function isSigned({ key, type }: PublicKey, covered: Buffer, value: Buffer): Promise<boolean> {
  if (type === 'rsa') return verifyInThreadPool('sha256', covered, key, value);
  return verifyInThreadPool(null, createHash('sha256').update(covered).digest(), key, value);
}
