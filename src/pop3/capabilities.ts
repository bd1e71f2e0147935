/**
 * What CAPA lists (RFC 2449 §6, RFC 2595 §4, RFC 3206 §4, RFC 5034 §5). Deliberately absent: LOGIN-DELAY (nobody is
 * asked to wait), UTF8 (RFC 6856: it would oblige us to rewrite messages for clients that do not ask for it).
 */

import type { ChannelBinding } from '../sasl/scram.ts';

export interface SessionTerms {
  /** USER, PASS and AUTH would be heard: there is TLS, or the listener does without. */
  passwordsAllowed: boolean;
  /** STLS would be heard. */
  tlsAvailable: boolean;
  /** Of AUTH, where passwords may be given at all. */
  mechanisms: readonly string[];
  /** Of the TLS connection; absent where -PLUS is not offered. */
  binding?: ChannelBinding | undefined;
}

export function capabilities({ passwordsAllowed, tlsAvailable, mechanisms }: SessionTerms): string[] {
  return [
    'TOP',
    'UIDL',
    'RESP-CODES',
    'AUTH-RESP-CODE',
    'PIPELINING',
    'EXPIRE NEVER',
    ...(passwordsAllowed ? ['USER', `SASL ${mechanisms.join(' ')}`] : []),
    ...(tlsAvailable ? ['STLS'] : []),
    'IMPLEMENTATION Posthorn',
  ];
}
