/**
 * DNS records as people write them down in this project, plain data by name and type, checked and turned into records
 * as messages hold them. Knows nothing of questions and answers. RFC 1035 §3.3, RFC 6698 (TLSA).
 */

import type { MxAnswer, SoaAnswer, StringAnswer, TlsaAnswer, TxtAnswer } from 'dns-packet';
import { parseIpv4, parseIpv6 } from './ip.ts';
import { canonicalName, isAskableName } from './name.ts';

type WrittenMx = readonly [preference: number, exchange: string];
type WrittenTlsa = readonly [usage: number, selector: number, matchingType: number, hex: string];

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
}

/** Names, in any case, with or without the final dot, and what is there. */
export type ZoneData = Readonly<Record<string, NameRecords>>;

/** A record as it goes into a message. */
export type ZoneRecord = StringAnswer | MxAnswer | TxtAnswer | TlsaAnswer | SoaAnswer;

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
  const { A = [], AAAA = [], MX = [], TXT = [], CNAME, PTR = [], TLSA = [] } = written;
  const records = [
    ...A.map(ipv4),
    ...AAAA.map(ipv6),
    ...MX.map(mx),
    ...TXT.map(txt),
    ...(CNAME === undefined ? [] : [cname(CNAME)]),
    ...PTR.map(ptr),
    ...TLSA.map(tlsa),
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

/** Cuts a text into pieces of 255 octets; the empty text is one empty piece, for a TXT record has at least one. */
function characterStrings(text: string): Buffer[] {
  const octets = Buffer.from(text);
  const count = Math.max(1, Math.ceil(octets.length / characterStringBytes));
  return Array.from({ length: count }, (_, i) =>
    octets.subarray(i * characterStringBytes, (i + 1) * characterStringBytes),
  );
}
