/**
 * A mailbox address, `local@domain` (RFC 5321 §4.1.2 Mailbox; RFC 6531 for UTF-8), as a value, and as text.
 * Knows no display names and no angle brackets: lists of a header field are in mailboxes.ts, paths belong to SMTP.
 */

import { parseEnvelope } from '@haraka/email-address';
import { parseDomain } from './domain.ts';

export interface Address {
  /** Unquoted, NFC, case as written. */
  localPart: string;
  /** Lower-case A-labels, or an address literal with its brackets. */
  domain: string;
}

/** RFC 5321 §4.5.3.1.1, in octets, quotes and backslashes included. */
const maxLocalPartOctets = 64;
/** RFC 5321 §4.5.3.1.3: a path has 256 octets with its angle brackets. */
const maxAddressOctets = 254;

/** C0 and C1 controls, line separators, and U+FFFD: what a decoder leaves where the octets were not UTF-8. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is for.
const forbidden = /[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffd]/;
/** RFC 5321 Dot-string, with UTF-8 in its atoms (RFC 6531 §3.3). One class per step, so it cannot backtrack. */
const dotString = /^[\w!#$%&'*+\-/=?^`{|}~\u0080-\uffff]+(?:\.[\w!#$%&'*+\-/=?^`{|}~\u0080-\uffff]+)*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII.
const nonAscii = /[^\x00-\x7f]/;
/** The tags of General-address-literal but IPv6 are not assigned to anything (RFC 5321 §4.1.3). */
const literalPattern = /^\[(?:[\d.]+|ipv6:[\da-f:.]+)\]$/i;

function unquote(localPart: string): string {
  return localPart.startsWith('"') ? localPart.slice(1, -1).replace(/\\(.)/gu, '$1') : localPart;
}

/** The parser of the grammar itself throws where the text does not fit; here that is an answer. */
function parseMailbox(text: string): { user: string; original_host?: string } | undefined {
  try {
    return parseEnvelope(text);
  } catch {
    return undefined;
  }
}

function normalizeLiteral(domain: string): string | undefined {
  return literalPattern.test(domain) ? domain.toLowerCase().replace('[ipv6:', '[IPv6:') : undefined;
}

const octets = (text: string): number => Buffer.byteLength(text, 'utf8');

/**
 * Reads `local@domain`: quoted local parts, `[192.0.2.1]`, `[IPv6:2001:db8::1]`, UTF-8 local parts, U-label domains.
 * `text` is decoded from UTF-8. Undefined for anything else, in particular for the null path, a bare `postmaster`,
 * source routes, control characters, octets that were not UTF-8, and lengths beyond RFC 5321 §4.5.3.1.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.length > maxAddressOctets || octets(text) > maxAddressOctets) return undefined;
  if (text.startsWith('<') || forbidden.test(text) || !text.isWellFormed()) return undefined;
  const mailbox = parseMailbox(text);
  if (!mailbox?.original_host || octets(mailbox.user) > maxLocalPartOctets) return undefined;
  const host = mailbox.original_host;
  const domain = host.startsWith('[') ? normalizeLiteral(host) : parseDomain(host);
  if (domain === undefined) return undefined;
  const address = { localPart: unquote(mailbox.user).normalize('NFC'), domain };
  // A-labels and NFC may be longer than what was written.
  return octets(formatAddress(address)) > maxAddressOctets ? undefined : address;
}

/** `local@domain` as it is written in a path or a header field; quoted only where it has to be. */
export function formatAddress({ localPart, domain }: Address): string {
  const local = dotString.test(localPart) ? localPart : `"${localPart.replace(/["\\]/g, '\\$&')}"`;
  return `${local}@${domain}`;
}

/**
 * The key of an account, an alias, a comparison: `local@domain`, lower-case, NFC, quoted only where it has to be, so
 * that `"bob"@Example.com` and `Bob@example.com` are one. Can be read back by `parseAddress()`.
 */
export function addressKey({ localPart, domain }: Address): string {
  return formatAddress({ localPart: localPart.toLowerCase().normalize('NFC'), domain: domain.toLowerCase() });
}

/** True where the address can only travel with SMTPUTF8 (RFC 6531): a domain never needs it, it has A-labels. */
export function needsSmtputf8({ localPart }: Address): boolean {
  return nonAscii.test(localPart);
}

export { parseDomain } from './domain.ts';
