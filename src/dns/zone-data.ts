/**
 * DNS records as people write them down in this project, plain data by name and type, checked and turned into records
 * as messages hold them. Knows nothing of questions and answers. RFC 1035 §3.3, RFC 2782 (SRV), RFC 6698 (TLSA), RFC 8659 (CAA).
 */

import type {
  CaaAnswer,
  CaaData,
  DnskeyAnswer,
  DSAnswer,
  MxAnswer,
  SoaAnswer,
  SrvAnswer,
  StringAnswer,
  TlsaAnswer,
  TxtAnswer,
} from 'dns-packet';
import { parseIpv4, parseIpv6 } from './ip.ts';
import { canonicalName, isAskableName } from './name.ts';

type WrittenMx = readonly [preference: number, exchange: string];
type WrittenTlsa = readonly [usage: number, selector: number, matchingType: number, hex: string];
type WrittenSrv = readonly [priority: number, weight: number, port: number, target: string];
type WrittenCaa = readonly [flags: number, tag: CaaData['tag'], value: string];
type WrittenDs = readonly [keyTag: number, algorithm: number, digestType: number, hex: string];

/** The records at one name. */
export interface NameRecords {
  A?: readonly string[];
  AAAA?: readonly string[];
  /** `[[0, '']]` is the null MX of RFC 7505. */
  MX?: readonly WrittenMx[];
  /** One text per record, of any length: it is cut into character-strings (RFC 7208 §3.3). */
  TXT?: readonly string[];
  /** What this name is an alias of; then it has no other records (RFC 1034 §3.6.2). */
  CNAME?: string;
  PTR?: readonly string[];
  TLSA?: readonly WrittenTlsa[];
  SRV?: readonly WrittenSrv[];
  CAA?: readonly WrittenCaa[];
  /** Where a zone begins; of one that is served elsewhere, without SOA, where it is delegated. */
  NS?: readonly string[];
  /** Makes the name the top of a zone. */
  SOA?: { serial: number };
  /** That the zone is signed, as its parent says. */
  DS?: readonly WrittenDs[];
}

/** Names, in any case, with or without the final dot, and what is there. */
export type ZoneData = Readonly<Record<string, NameRecords>>;

/** A record as it goes into a message. */
export type ZoneRecord =
  | StringAnswer
  | MxAnswer
  | TxtAnswer
  | TlsaAnswer
  | SrvAnswer
  | CaaAnswer
  | DSAnswer
  | DnskeyAnswer
  | SoaAnswer;

/** Seconds; short, since what is written like this is for a playground or a test. */
export const defaultTtl = 300;

/** The longest character-string (RFC 1035 §3.3). */
const characterStringBytes = 255;

/**
 * All records, name by name.
 * @throws {TypeError} at the first that could not be served, with the reason.
 */
export function recordsOf(data: ZoneData, ttl: number): ZoneRecord[] {
  return Object.entries(data).flatMap(([name, written]) => recordsAt(hostName(name), written, ttl));
}

function recordsAt(name: string, written: NameRecords, ttl: number): ZoneRecord[] {
  const { A = [], AAAA = [], MX = [], TXT = [], CNAME, PTR = [], TLSA = [], SRV = [], CAA = [] } = written;
  const { NS = [], SOA, DS = [] } = written;
  const records = [
    ...A.map(ipv4),
    ...AAAA.map(ipv6),
    ...MX.map(mx),
    ...TXT.map(txt),
    ...(CNAME === undefined ? [] : [cname(CNAME)]),
    ...PTR.map(ptr),
    ...TLSA.map(tlsa),
    ...SRV.map(srv),
    ...CAA.map(([flags, tag, value]) => ({ type: 'CAA', data: { flags, tag, value } }) as const),
    ...NS.map(ns),
    ...(SOA === undefined ? [] : [{ type: 'SOA', data: soaData(name, SOA.serial, ttl) } as const]),
    ...DS.map(ds),
  ];
  if (CNAME !== undefined && records.length > 1) throw malformed(name, 'an alias that has other records too');
  return records.map((record) => ({ name, ttl, ...record }));
}

function malformed(written: string, why: string): TypeError {
  return new TypeError(`Cannot serve ${JSON.stringify(written)}: ${why}`);
}

function hostName(written: string): string {
  const name = canonicalName(written);
  if (!isAskableName(name)) throw malformed(written, 'not a domain name');
  return name;
}

function ipv4(data: string) {
  if (parseIpv4(data) === undefined) throw malformed(data, 'not an IPv4 address');
  return { type: 'A', data } as const;
}

function ipv6(data: string) {
  if (parseIpv6(data) === undefined) throw malformed(data, 'not an IPv6 address');
  return { type: 'AAAA', data } as const;
}

function mx([preference, written]: WrittenMx) {
  const exchange = canonicalName(written) === '' ? '.' : hostName(written);
  return { type: 'MX', data: { preference, exchange } } as const;
}

function txt(text: string) {
  return { type: 'TXT', data: characterStrings(text) } as const;
}

function cname(target: string) {
  return { type: 'CNAME', data: hostName(target) } as const;
}

function ptr(host: string) {
  return { type: 'PTR', data: hostName(host) } as const;
}

function tlsa([usage, selector, matchingType, hex]: WrittenTlsa) {
  if (!/^(?:[0-9a-f]{2})+$/i.test(hex)) throw malformed(hex, 'not the hexadecimal data of a TLSA record');
  return {
    type: 'TLSA',
    data: { usage, selector, matchingType, certificate: Buffer.from(hex, 'hex') },
  } as const;
}

function srv([priority, weight, port, written]: WrittenSrv) {
  const target = canonicalName(written) === '' ? '.' : hostName(written);
  return { type: 'SRV', data: { priority, weight, port, target } } as const;
}

function ns(host: string) {
  return { type: 'NS', data: hostName(host) } as const;
}

function ds([keyTag, algorithm, digestType, hex]: WrittenDs) {
  return { type: 'DS', data: { keyTag, algorithm, digestType, digest: Buffer.from(hex, 'hex') } } as const;
}

/** RFC 1035 §3.3.13. The times matter only to secondaries, of which there are none. */
export function soaData(name: string, serial: number, ttl: number): SoaAnswer['data'] {
  const mname = name === '' ? 'localhost' : name;
  return {
    mname,
    rname: `postmaster.${mname}`,
    serial,
    refresh: 3600,
    retry: 600,
    expire: 86_400,
    minimum: ttl,
  };
}

/** Cuts a text into pieces of 255 octets; the empty text is one empty piece, for a TXT record has at least one. */
function characterStrings(text: string): Buffer[] {
  const octets = Buffer.from(text);
  const count = Math.max(1, Math.ceil(octets.length / characterStringBytes));
  return Array.from({ length: count }, (_, i) =>
    octets.subarray(i * characterStringBytes, (i + 1) * characterStringBytes),
  );
}
