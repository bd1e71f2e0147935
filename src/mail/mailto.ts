/** Addresses as URIs (RFC 6068): where reports are to go. */

import { type Address, parseAddress } from './address.ts';

/** The address in a `mailto:` URI, without the fields that may follow it (RFC 6068 §2); undefined where it is none. */
export function findMailtoAddress(uri: string): Address | undefined {
  const [, encoded] = /^mailto:([^?]+)/i.exec(uri) ?? [];
  if (encoded === undefined) return undefined;
  try {
    return parseAddress(decodeURIComponent(encoded));
  } catch (error) {
    if (error instanceof URIError) return undefined; // percent signs that encode no UTF-8
    throw error;
  }
}
