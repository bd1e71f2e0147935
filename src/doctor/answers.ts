/** Small things that most examinations do with what was seen. Pure. */

import { findCanonicalIp } from '../dns/ip.ts';
import { canonicalName } from '../dns/name.ts';
import type { WantedRecord } from '../records/wanted-record.ts';
import type { Seen } from './dns-looks.ts';

export const textsOf = (seen: Seen | undefined): string[] => seen?.records.map(({ text }) => text) ?? [];

/** A wanted record's data in the form that seen ones have: names without their final dot, addresses canonical. */
export function comparable({ type, data }: Pick<WantedRecord, 'type' | 'data'>): string {
  if (type === 'TXT') return data;
  if (type === 'A' || type === 'AAAA') return findCanonicalIp(data) ?? data;
  if (type === 'CAA') return data;
  const words = data.toLowerCase().split(/\s+/);
  return words.map((word) => (word === '.' ? word : canonicalName(word))).join(' ');
}

/** The host in an MX record's text. */
export const exchangeOf = (text: string): string => text.slice(text.indexOf(' ') + 1);

/** A, AAAA or both, by how the address is written. */
export const typeOf = (address: string): 'A' | 'AAAA' => (address.includes(':') ? 'AAAA' : 'A');
