/**
 * Signatures of DNS: whether a set of records is signed by a key of its zone, and whether that key is the one that the parent zone
 * names. Checks what it is shown; it follows no chain, and knows no proofs of absence. RFC 4034 §2, §3, §5, §6; RFC 4035 §5.3;
 * RFC 5702 (RSA), RFC 6605 (ECDSA), RFC 8080 (EdDSA).
 */

import { createHash, createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto';
import type { WireRecord } from './wire-records.ts';

export interface DnsKey {
  /** As in DS and RRSIG records. */
  tag: number;
  algorithm: number;
  /** Made to be named by the parent (SEP). */
  isEntry: boolean;
  owner: Buffer;
  /** Of its record. */
  data: Buffer;
}

export interface Signature {
  covered: number;
  algorithm: number;
  labels: number;
  /** Seconds since 1970, modulo 2³². */
  expiration: number;
  inception: number;
  tag: number;
  /** All of the record's data that is signed, too. */
  head: Buffer;
  signature: Buffer;
}

/** Records of one type at one name. */
export interface RecordSet {
  name: string;
  type: number;
  records: readonly WireRecord[];
  signatures: readonly Signature[];
}

/** `unknown`: signed by algorithms only that are not known here. */
export type SetVerdict =
  | { kind: 'proven'; signature: Signature }
  | { kind: 'unsigned' }
  | { kind: 'unknown' }
  | { kind: 'broken'; tag: number; isKeyMissing: boolean }
  /** `at`: milliseconds since 1970. */
  | { kind: 'expired' | 'early'; at: number };

export interface DsRecord {
  tag: number;
  algorithm: number;
  digestType: number;
  /** Hexadecimal, lower-case. */
  digest: string;
}

export const typeNumbers = {
  ...{ A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33 },
  ...{ DS: 43, RRSIG: 46, DNSKEY: 48, TLSA: 52, CAA: 257 },
} as const;
const zoneKeyFlag = 0x0100;
const entryFlag = 0x0001;

/** All but signatures, each set with those that cover it. */
export function recordSetsOf(records: readonly WireRecord[]): RecordSet[] {
  const signatures = records
    .filter(({ type }) => type === typeNumbers.RRSIG)
    .flatMap((record) => {
      const signature = signatureIn(record.data);
      return signature === undefined ? [] : [{ name: record.name, signature }];
    });
  const others = records.filter(({ type }) => type !== typeNumbers.RRSIG);
  return [...Map.groupBy(others, ({ name, type }) => `${type} ${name}`).values()].map((set) => {
    const [first] = set;
    const { name = '', type = 0 } = first ?? {};
    const own = signatures.filter((each) => each.name === name && each.signature.covered === type);
    return { name, type, records: set, signatures: own.map(({ signature }) => signature) };
  });
}

function signatureIn(data: Buffer): Signature | undefined {
  let end = 18;
  while (end < data.length && data[end] !== 0) end += (data[end] ?? 0) + 1;
  if (end >= data.length) return undefined;
  return {
    covered: data.readUInt16BE(0),
    algorithm: data.readUInt8(2),
    labels: data.readUInt8(3),
    expiration: data.readUInt32BE(8),
    inception: data.readUInt32BE(12),
    tag: data.readUInt16BE(16),
    head: data.subarray(0, end + 1),
    signature: data.subarray(end + 1),
  };
}

/** Keys that may sign a zone. */
export function keysIn(set: RecordSet): DnsKey[] {
  return set.records.flatMap(({ data, owner }) => {
    if (set.type !== typeNumbers.DNSKEY || data.length < 5) return [];
    const flags = data.readUInt16BE(0);
    if ((flags & zoneKeyFlag) === 0) return [];
    const isEntry = (flags & entryFlag) !== 0;
    return [{ tag: keyTag(data), algorithm: data.readUInt8(3), isEntry, owner, data }];
  });
}

/** RFC 4034 appendix B. */
function keyTag(data: Buffer): number {
  let sum = 0;
  for (const [index, octet] of data.entries()) sum += index % 2 === 0 ? octet << 8 : octet;
  return (sum + ((sum >> 16) & 0xffff)) & 0xffff;
}

const digests: ReadonlyMap<number, string> = new Map([
  [1, 'sha1'],
  [2, 'sha256'],
  [4, 'sha384'],
]);

/** RFC 4034 §5.1.4. Undefined where the kind of digest is not known. */
export function dsOf({ tag, algorithm, owner, data }: DnsKey, digestType: number): DsRecord | undefined {
  const hash = digests.get(digestType);
  if (hash === undefined) return undefined;
  return {
    tag,
    algorithm,
    digestType,
    digest: createHash(hash).update(owner).update(data).digest('hex'),
  };
}

/** Undefined where nothing can be said: a digest that is not known. */
export function isNamedBy(key: DnsKey, ds: DsRecord): boolean | undefined {
  if (key.tag !== ds.tag || key.algorithm !== ds.algorithm) return false;
  const own = dsOf(key, ds.digestType);
  return own === undefined ? undefined : own.digest === ds.digest;
}

/** Of one set, and keys that share a tag: more are a trap for who tries them all. */
const mostSignatures = 8;
const mostKeys = 4;

/** One signature that is right is enough (RFC 4035 §5.3.3). `now`: milliseconds since 1970. */
export function verdictOn(set: RecordSet, keys: readonly DnsKey[], now: number): SetVerdict {
  const [first] = set.signatures;
  if (first === undefined) return { kind: 'unsigned' };
  const verdicts = set.signatures
    .slice(0, mostSignatures)
    .map((signature) => judge(set, { signature, keys, now }));
  const [trouble = { kind: 'unsigned' }] = verdicts;
  return (
    verdicts.find(({ kind }) => kind === 'proven') ??
    verdicts.find(({ kind }) => kind === 'unknown') ??
    trouble
  );
}

function judge(
  set: RecordSet,
  { signature, keys, now }: { signature: Signature; keys: readonly DnsKey[]; now: number },
): SetVerdict {
  const { tag, algorithm, expiration, inception } = signature;
  if (!algorithms.has(algorithm)) return { kind: 'unknown' };
  const own = keys.filter((key) => key.tag === tag && key.algorithm === algorithm).slice(0, mostKeys);
  const octets = signedOctets(set, signature);
  if (octets === undefined || !own.some((key) => isMadeBy(key, octets, signature.signature)))
    return { kind: 'broken', tag, isKeyMissing: own.length === 0 };
  // Serial numbers: what is less than 68 years away counts (RFC 4034 §3.1.5).
  const seconds = Math.floor(now / 1000);
  const left = (expiration - seconds) | 0;
  const passed = (seconds - inception) | 0;
  if (left < 0) return { kind: 'expired', at: (seconds + left) * 1000 };
  if (passed < 0) return { kind: 'early', at: (seconds - passed) * 1000 };
  return { kind: 'proven', signature };
}

/** RFC 4034 §3.1.8.1, §6.3. */
export function signedOctets(
  { records, type }: Pick<RecordSet, 'records' | 'type'>,
  { head, labels }: Pick<Signature, 'head' | 'labels'>,
): Buffer | undefined {
  const [first] = records;
  const owner = first && signedOwner(first.owner, labels);
  if (owner === undefined) return undefined;
  const unlike = [...new Map(records.map(({ data }) => [data.toString('latin1'), data])).values()];
  const sorted = unlike.toSorted(Buffer.compare);
  const prefix = Buffer.alloc(8);
  prefix.writeUInt16BE(type, 0);
  prefix.writeUInt16BE(1, 2);
  head.copy(prefix, 4, 4, 8); // the original TTL
  return Buffer.concat([
    head,
    ...sorted.flatMap((data) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(data.length, 0);
      return [owner, prefix, length, data];
    }),
  ]);
}

/** What a wildcard has made is signed as the wildcard. Undefined where a signature has more labels than the name. */
function signedOwner(owner: Buffer, labels: number): Buffer | undefined {
  const starts: number[] = [];
  for (let at = 0; owner[at] !== 0 && at < owner.length; at += (owner[at] ?? 0) + 1) starts.push(at);
  if (owner[0] === 1 && owner[1] === 0x2a) starts.shift(); // "*" does not count (RFC 4034 §3.1.3)
  if (labels > starts.length) return undefined;
  if (labels === starts.length) return owner;
  return Buffer.concat([Buffer.from([1, 0x2a]), owner.subarray(starts[starts.length - labels] ?? -1)]);
}

interface Algorithm {
  hash: string | null;
  key(octets: Buffer): JsonWebKey | undefined;
}

const base64url = (octets: Buffer): string => octets.toString('base64url');

/** RFC 3110 §2: the length of the exponent, the exponent, the modulus. */
function rsaKey(octets: Buffer): JsonWebKey | undefined {
  if (octets.length < 3) return undefined;
  const [at, length] = octets[0] === 0 ? [3, octets.readUInt16BE(1)] : [1, octets.readUInt8(0)];
  const end = at + length;
  if (end >= octets.length) return undefined;
  return { kty: 'RSA', e: base64url(octets.subarray(at, end)), n: base64url(octets.subarray(end)) };
}

const curve =
  (crv: string) =>
  (octets: Buffer): JsonWebKey => {
    const half = octets.length / 2;
    return { kty: 'EC', crv, x: base64url(octets.subarray(0, half)), y: base64url(octets.subarray(half)) };
  };

const edwards =
  (crv: string) =>
  (octets: Buffer): JsonWebKey => ({ kty: 'OKP', crv, x: base64url(octets) });

/** Those with SHA-1 are not among them: who takes them still is a matter of taste (RFC 8624 §3.1). */
const algorithms: ReadonlyMap<number, Algorithm> = new Map([
  [8, { hash: 'sha256', key: rsaKey }],
  [10, { hash: 'sha512', key: rsaKey }],
  [13, { hash: 'sha256', key: curve('P-256') }],
  [14, { hash: 'sha384', key: curve('P-384') }],
  [15, { hash: null, key: edwards('Ed25519') }],
  [16, { hash: null, key: edwards('Ed448') }],
]);

function isMadeBy({ algorithm, data }: DnsKey, octets: Buffer, signature: Buffer): boolean {
  const { hash = null, key } = algorithms.get(algorithm) ?? {};
  const jwk = key?.(data.subarray(4));
  const object = jwk && keyObject(jwk);
  if (object === undefined) return false;
  return verify(hash, octets, { key: object, dsaEncoding: 'ieee-p1363' }, signature);
}

/** Undefined for octets that are no key: what a zone publishes is whatever it likes. */
function keyObject(jwk: JsonWebKey): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined;
  }
}
