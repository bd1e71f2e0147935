/**
 * The trace field that every server adds (RFC 5321 §4.4): from whom, by whom, how, when.
 * Knows nothing of sessions. What comes from outside, the HELO name and the reverse name, is made harmless here.
 */

import { parseAddress } from './address.ts';
import { formatDate } from './date.ts';
import { foldField } from './fold.ts';

/** How a message came, as RFC 3848 and RFC 6531 §4.3 name it; `LOCAL` without SMTP, over the control socket. */
export type ReceivedProtocol =
  | 'SMTP'
  | 'LOCAL'
  | `ESMTP${'' | 'S'}${'' | 'A'}`
  | `UTF8SMTP${'' | 'S'}${'' | 'A'}`
  | `${'' | 'UTF8'}LMTP${'' | 'S'}${'' | 'A'}`;

export interface ReceivedClient {
  /** The name that the client gave itself; trusted in nothing. */
  helo: string;
  /** IPv4 or IPv6, without brackets. */
  address: string;
  /** From the DNS, forward-confirmed or not; absent where there is none. */
  reverseName?: string;
}

export interface Received {
  /** Left out for submissions: where our users sit is nobody's business. */
  client?: ReceivedClient;
  /** Our own name. */
  by: string;
  protocol: ReceivedProtocol;
  tls?: { version: string; cipher: string };
  queueId: string;
  /** `user@domain`; only where the message has a single recipient, or a blind copy would be told to the others. */
  recipient?: string;
  /** Milliseconds since the epoch. */
  date: number;
}

const maxNameLength = 255;

/** Anything that is no part of a host name or an address literal becomes `?`: no comment can be closed, no line ended. */
function harmless(name: string): string {
  return name.slice(0, maxNameLength).replace(/[^A-Za-z0-9._:[\]-]/g, '?') || 'unknown';
}

function addressLiteral(address: string): string {
  return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`;
}

function fromClause({ helo, address, reverseName }: ReceivedClient): string[] {
  const literal = addressLiteral(harmless(address));
  return [
    `from ${harmless(helo)}`,
    `(${reverseName === undefined ? '' : `${harmless(reverseName)} `}${literal})`,
  ];
}

/** A recipient outside ASCII may only be named where the header may hold UTF-8 (RFC 6531 §3.7.3). */
function forClause({ recipient, protocol }: Received): string[] {
  if (recipient === undefined || parseAddress(recipient) === undefined) return [];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII.
  return /^[\x00-\x7f]*$/.test(recipient) || protocol.startsWith('UTF8') ? [`for <${recipient}>`] : [];
}

/** The name for a way in: `ESMTPSA` is ESMTP over TLS by an authenticated client. */
export function receivedProtocol(how: {
  isLmtp?: boolean;
  extended: boolean;
  tls: boolean;
  authenticated: boolean;
  smtputf8: boolean;
}): ReceivedProtocol {
  // RFC 3848 has no names for the combinations of HELO: without EHLO there is neither STARTTLS nor AUTH.
  if (!how.extended) return 'SMTP';
  const base = how.isLmtp ? (how.smtputf8 ? 'UTF8LMTP' : 'LMTP') : how.smtputf8 ? 'UTF8SMTP' : 'ESMTP';
  return `${base}${how.tls ? 'S' : ''}${how.authenticated ? 'A' : ''}`;
}

/** The field, folded at 78 where that is possible, with its final CRLF. */
export function receivedField(received: Received): string {
  const { client, by, protocol, tls, queueId, date } = received;
  const clauses = [
    ...(client === undefined ? [] : fromClause(client)),
    `by ${by}`,
    `with ${protocol}`,
    ...(tls === undefined ? [] : [`(${harmless(tls.version)} ${harmless(tls.cipher)})`]),
    `id ${queueId}`,
    ...forClause(received),
  ];
  const last = clauses.pop() ?? '';
  return foldField('Received', [...clauses, `${last};`, formatDate(date)]);
}
