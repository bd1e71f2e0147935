/** The `rua` of a DMARC record: who wants aggregate reports, and how large they may be (RFC 9989 §4.7, §4.8; RFC 7489 §6.2). */

import { type Address, formatAddress } from '../mail/address.ts';
import { findMailtoAddress } from '../mail/mailto.ts';

export interface ReportUri {
  /** `mailto:`, without the limit. */
  uri: string;
  address: Address;
  /** Of the message, at most. */
  maxBytes?: number;
}

/** URIs that are looked at; more is a mistake or a trap. */
const maxUris = 10;

const units: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** Whether a text is a DMARC record, be it only by its first tag. */
export const isDmarcRecord = (text: string): boolean => /^v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/.test(text);

/** By lower-case name; of a repeated tag the first, and what is no tag is passed over (RFC 9989 §4.7). */
export function tagsOf(text: string): ReadonlyMap<string, string> {
  const tags = new Map<string, string>();
  for (const part of text.split(';')) {
    const [, name, value] = /^\s*([a-z]\w*)\s*=\s*(.*?)\s*$/is.exec(part) ?? [];
    if (name !== undefined && value !== undefined && !tags.has(name.toLowerCase()))
      tags.set(name.toLowerCase(), value);
  }
  return tags;
}

/** Those that mail can go to, in order, each address once. */
export function reportUris(rua: string): ReportUri[] {
  const found = new Map<string, ReportUri>();
  for (const part of rua.split(',').slice(0, maxUris)) {
    const [, uri = '', size, unit = ''] = /^\s*([^!]*)(?:!(\d{1,12})([kmgt]?))?\s*$/i.exec(part) ?? [];
    const address = findMailtoAddress(uri.trim());
    if (address === undefined || found.has(formatAddress(address))) continue;
    const maxBytes = size === undefined ? undefined : Number(size) * (units[unit.toLowerCase()] ?? 1);
    found.set(formatAddress(address), {
      uri: uri.trim(),
      address,
      ...(maxBytes !== undefined && { maxBytes }),
    });
  }
  return [...found.values()];
}
