/** The URIs in the `rua` of a DMARC record: who wants aggregate reports, and how large they may be (RFC 9989 §4.7; RFC 7489 §6.2). */

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

/** Those that mail can go to, in order, each address once. */
export function mailUris(uris: readonly string[]): ReportUri[] {
  const found = new Map<string, ReportUri>();
  for (const part of uris.slice(0, maxUris)) {
    const [, uri = '', size, unit = ''] = /^([^!]*)(?:!(\d{1,12})([kmgt]?))?$/i.exec(part.trim()) ?? [];
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
