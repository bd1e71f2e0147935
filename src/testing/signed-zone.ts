/**
 * A zone that is signed as it is asked: each set of records that goes out, by one key. It may be signed badly, in every way that signed
 * zones are. Proofs that something is not there are not made. RFC 4034 §2, §3.
 */

import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type DnskeyAnswer, encode, type RrsigAnswer } from 'dns-packet';
import { type DnsKey, keysIn, recordSetsOf, signedOctets } from '../dns/dnssec.ts';
import { readWireAnswers, type WireRecord } from '../dns/wire-records.ts';
import type { Zone, ZoneReply } from '../dns/zone.ts';
import type { ZoneRecord } from '../dns/zone-data.ts';

const ecdsaP256 = 13;
const flags = { zone: 0x0100, entry: 0x0001 };
/** Seconds. */
const ttl = 300;
const dayMs = 24 * 3_600_000;

export interface ZoneKey {
  privateKey: KeyObject;
  /** x and y, without more. */
  octets: Buffer;
}

export interface Signing {
  apex: string;
  key: ZoneKey;
  /** That the zone shows; default: the one that signs. `none`: no key, and no signatures. */
  shown?: ZoneKey | 'none';
  /** From now; negative: it has been over for so long. */
  beginsMs?: number;
  endsMs?: number;
  /** As in `mx.example.com A`: changed after it was signed, or forgotten in signing. */
  broken?: readonly string[];
  unsigned?: readonly string[];
}

export function makeZoneKey(): ZoneKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const octets = Buffer.concat([Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  return { privateKey, octets };
}

const keyRecord = (apex: string, { octets }: ZoneKey): DnskeyAnswer => ({
  ...{ name: apex, type: 'DNSKEY', ttl },
  data: { flags: flags.zone | flags.entry, algorithm: ecdsaP256, key: octets },
});

/** What the parent is to name. */
export function dnsKeyOf(apex: string, key: ZoneKey): DnsKey {
  const [set] = recordSetsOf(wire([keyRecord(apex, key)]));
  const [own] = set === undefined ? [] : keysIn(set);
  if (own === undefined) throw new Error('no key of a zone');
  return own;
}

export function signedZone(inner: Zone, signing: Signing): Zone {
  const { apex, key, shown = key } = signing;
  if (shown === 'none') return inner;
  return {
    answer(name, type) {
      const reply = inner.answer(name, type);
      const isKey = name === apex && type === 'DNSKEY' && !reply.fails && !reply.refuses;
      const full: ZoneReply = isKey
        ? { exists: true, answers: [keyRecord(apex, shown)], authority: [] }
        : reply;
      return { ...full, signatures: () => signaturesOver(full.answers, signing) };
    },
  };
}

function signaturesOver(records: readonly ZoneRecord[], signing: Signing): RrsigAnswer[] {
  const sets = Map.groupBy(records, ({ name, type }) => `${name} ${type}`);
  return [...sets].flatMap(([place, set]) =>
    signing.unsigned?.includes(place) ? [] : [signatureOver(set, place, signing)],
  );
}

function signatureOver(set: readonly ZoneRecord[], place: string, signing: Signing): RrsigAnswer {
  const { apex, key, beginsMs = -dayMs, endsMs = 28 * dayMs, broken = [] } = signing;
  const [{ name, type } = { name: '', type: 'A' as const }] = set;
  const seconds = (fromNowMs: number) => Math.floor((Date.now() + fromNowMs) / 1000);
  const unsigned: RrsigAnswer = {
    ...{ name, type: 'RRSIG', ttl },
    data: {
      typeCovered: type,
      algorithm: ecdsaP256,
      labels: name.split('.').length,
      originalTTL: ttl,
      expiration: seconds(endsMs),
      inception: seconds(beginsMs),
      keyTag: dnsKeyOf(apex, key).tag,
      signersName: apex,
      signature: Buffer.alloc(0),
    },
  };
  const records = wire(set);
  const [head] = wire([unsigned]);
  const octets =
    head &&
    signedOctets({ records, type: records[0]?.type ?? 0 }, { head: head.data, labels: unsigned.data.labels });
  if (octets === undefined) throw new Error(`cannot sign ${place}`);
  const signature = sign('sha256', octets, { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  if (broken.includes(place)) signature.writeUInt8(signature.readUInt8(0) ^ 1, 0);
  return { ...unsigned, data: { ...unsigned.data, signature } };
}

/** As they are in a message. */
function wire(answers: readonly (ZoneRecord | RrsigAnswer | DnskeyAnswer)[]): WireRecord[] {
  return readWireAnswers(encode({ type: 'response', id: 0, answers: [...answers] })) ?? [];
}
