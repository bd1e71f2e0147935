/**
 * Records of any type that mail has to do with, as one line of text each, so that two are equal when their texts are: names
 * lower-case without the final dot, addresses canonical. RFC 1035 §5.1, RFC 2782 (SRV), RFC 8659 §4.1 (CAA).
 */

import type { Answer as PacketRecord } from 'dns-packet';
import { findCanonicalIp } from './ip.ts';
import { canonicalName } from './name.ts';

const shownTypes = [
  'A',
  'AAAA',
  'MX',
  'TXT',
  'CNAME',
  'PTR',
  'TLSA',
  'NS',
  'SOA',
  'CAA',
  'SRV',
  'DS',
  'DNSKEY',
] as const;

export type ShownType = (typeof shownTypes)[number];

export interface ShownRecord {
  /** Canonical. */
  name: string;
  type: ShownType;
  /** Seconds. */
  ttl: number;
  /** The data; of TXT the character-strings joined, one character per octet, without quotes. */
  text: string;
  /** Of TXT: as it is cut. */
  strings?: readonly string[];
}

/** Undefined for types that nothing is to be said of. */
export function shownRecord(record: PacketRecord): ShownRecord | undefined {
  const { type } = record;
  const isShown = (name: string): name is ShownType => (shownTypes as readonly string[]).includes(name);
  if (type === 'OPT' || !isShown(type)) return undefined;
  const shown = { name: canonicalName(record.name), type, ttl: ttlOf(record) };
  if (record.type !== 'TXT') return { ...shown, text: textOf(record) };
  const strings = [record.data].flat().map((octets) => Buffer.from(octets).toString('latin1'));
  return { ...shown, text: strings.join(''), strings };
}

const ttlOf = (record: Exclude<PacketRecord, { type: 'OPT' }>): number => record.ttl ?? 0;

function textOf(record: PacketRecord): string {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return findCanonicalIp(record.data) ?? record.data;
    case 'CNAME':
    case 'PTR':
    case 'NS':
      return canonicalName(record.data);
    case 'MX':
      return `${record.data.preference ?? 0} ${orRoot(record.data.exchange)}`;
    case 'TLSA': {
      const { usage, selector, matchingType, certificate } = record.data;
      return `${usage} ${selector} ${matchingType} ${certificate.toString('hex')}`;
    }
    case 'SOA': {
      const { mname, rname, serial, refresh, retry, expire, minimum } = record.data;
      return [orRoot(mname), orRoot(rname), serial, refresh, retry, expire, minimum].join(' ');
    }
    case 'CAA': {
      const { flags = 0, tag, value } = record.data;
      return `${flags} ${String(tag).toLowerCase()} "${value}"`;
    }
    case 'SRV': {
      const { priority = 0, weight = 0, port, target } = record.data;
      return `${priority} ${weight} ${port} ${orRoot(target)}`;
    }
    case 'DS': {
      const { keyTag, algorithm, digestType, digest } = record.data;
      return `${keyTag} ${algorithm} ${digestType} ${digest.toString('hex')}`;
    }
    case 'DNSKEY': {
      const { flags, algorithm, key } = record.data;
      return `${flags} 3 ${algorithm} ${key.toString('base64')}`;
    }
    default:
      return '';
  }
}

const orRoot = (name: string): string => canonicalName(name) || '.';
