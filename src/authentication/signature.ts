/**
 * The signature fields of DKIM and ARC: what their tags say, and whether they may be checked at all. No key and no
 * message is looked at. RFC 6376 §3.5, §6.1.1; RFC 8301 §3.1 (no sha1); RFC 8463 §3; RFC 8617 §4.1.
 */

import type { Canonicalization } from './canonical-body.ts';
import { isBase64 } from './key-record.ts';
import { listOf, type Tags, withoutSpace } from './tag-list.ts';

const sha256Octets = 32;

export type SignatureAlgorithm = 'rsa-sha256' | 'ed25519-sha256';

/** Who signed, and what; of a signature over header fields alone (ARC-Seal) that is all. */
export interface Signature {
  domain: string;
  selector: string;
  algorithm: SignatureAlgorithm;
  /** `b=`. */
  value: Buffer;
}

/** A signature over a message: DKIM-Signature or ARC-Message-Signature. */
export interface MessageSignature extends Signature {
  /** `bh=`, base64. */
  bodyHash: string;
  canonicalization: { header: Canonicalization; body: Canonicalization };
  /** Of `h=`, lower-case, with their repetitions. */
  names: readonly string[];
  /** `l=`: octets of the canonical body that are signed. */
  length?: number;
}

/** `isPolicy`: the signature is in order, but of a kind that nobody should believe. */
export type Problem = { problem: string; isPolicy?: true };

export function readSignature(tags: Tags): Signature | Problem {
  const missing = ['a', 'b', 'd', 's'].find((name) => !tags.get(name));
  if (missing !== undefined) return { problem: `${missing}= is missing` };
  const algorithm = readAlgorithm(tags.get('a') ?? '');
  if (typeof algorithm !== 'string') return algorithm;
  const value = withoutSpace(tags.get('b') ?? '');
  if (!isBase64(value)) return { problem: 'b= is no base64' };
  const domain = (tags.get('d') ?? '').toLowerCase();
  if (!isSigningDomain(domain)) return { problem: 'd= is no domain' };
  const selector = tags.get('s') ?? '';
  if (!isName(selector)) return { problem: 's= is no selector' };
  if (!isTime(tags.get('t'))) return { problem: 't= is no time' };
  return { domain, selector, algorithm, value: Buffer.from(value, 'base64') };
}

/** `without`: what a missing `c=` means. */
export function readMessageSignature(
  tags: Tags,
  without: Canonicalization = 'simple',
): MessageSignature | Problem {
  const signature = readSignature(tags);
  if ('problem' in signature) return signature;
  const bodyHash = withoutSpace(tags.get('bh') ?? '');
  if (bodyHash === '') return { problem: 'bh= is missing' };
  if (!isBase64(bodyHash) || Buffer.from(bodyHash, 'base64').length !== sha256Octets)
    return { problem: 'bh= is no SHA-256' };
  const canonicalization = readCanonicalization(tags.get('c') ?? `${without}/${without}`);
  if (!canonicalization) return { problem: 'c= names no canonicalization that is known' };
  const names = tags.get('h');
  if (names === undefined) return { problem: 'h= is missing' };
  const length = tags.get('l');
  if (length !== undefined && !/^\d{1,76}$/.test(length)) return { problem: 'l= is no number' };
  return {
    ...signature,
    bodyHash,
    canonicalization,
    names: listOf(names.toLowerCase()),
    ...(length === undefined ? {} : { length: Number(length) }),
  };
}

function readAlgorithm(text: string): SignatureAlgorithm | Problem {
  if (text === 'rsa-sha256' || text === 'ed25519-sha256') return text;
  if (text === 'rsa-sha1') return { problem: 'sha1 proves nothing any more (RFC 8301)', isPolicy: true };
  return { problem: 'a= names no algorithm that is known' };
}

/** `simple` for the body where only the header's is named (RFC 6376 §3.5). */
function readCanonicalization(
  text: string,
): { header: Canonicalization; body: Canonicalization } | undefined {
  const [header, body = 'simple', ...more] = text.split('/');
  return more.length === 0 && isCanonicalization(header) && isCanonicalization(body)
    ? { header, body }
    : undefined;
}

const isCanonicalization = (text: string | undefined): text is Canonicalization =>
  text === 'relaxed' || text === 'simple';

/** Seconds since the epoch; absent is fine. */
export const isTime = (text: string | undefined): boolean => text === undefined || /^\d{1,12}$/.test(text);

/** One or more labels, in A-labels (RFC 8616 §4). */
const isName = (text: string): boolean =>
  text.length <= 253 && /^[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62})*$/i.test(text);

/** Two labels at least: nobody signs for a top-level domain. */
const isSigningDomain = (text: string): boolean => isName(text) && text.includes('.');
