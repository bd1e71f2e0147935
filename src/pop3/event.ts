/** What a POP3 session asks its application to decide, and what it can be answered. Knows no files and no accounts. */

import type { Claim } from '../sasl/exchange.ts';

/**
 * Why it was refused, for programs. `IN-USE`: another session has the mailbox. `AUTH`: the credentials, or the way they
 * were given. `SYS/TEMP`: try again later. `SYS/PERM`: a person must look at it.
 */
export type ResponseCode = 'IN-USE' | 'AUTH' | 'SYS/TEMP' | 'SYS/PERM';

/** A message as the session sees it; its number is its place in the maildrop, from 1 (RFC 1939 §5). */
export interface MaildropMessage {
  /** Octets with CRLF line ends, before dot-stuffing. */
  sizeBytes: number;
  /** 1 to 70 characters from `!` to `~`, the same in every session (RFC 1939 §7, UIDL). */
  uniqueId: string;
}

/** With each event, the answers it takes; `refused` is one for all of them but `drain`. */
export type Pop3Event =
  /** A connection: `ok`, or `refused`, which ends it. */
  | { type: 'connect' }
  /** Somebody wants in: `maildrop`, or `challenge`, and what it answers comes as another. */
  | { type: 'login'; claim: Claim }
  /** A message (with `bodyLines`: its header and so many lines of its body) is wanted: `ok`, then `more` follows. */
  | { type: 'retrieve'; number: number; bodyLines?: number }
  /** The next piece of that message: `chunk` or `end`. `refused` cuts the connection: POP3 has no other way to say it. */
  | { type: 'more' }
  /** Enough output waits for the peer: answer `ok` once it is written. */
  | { type: 'drain' }
  /** QUIT: remove these messages now, and only now (RFC 1939 §6): `ok`. Refused or not, the session ends. */
  | { type: 'commit'; deleted: readonly number[] };

export type Pop3Answer =
  | { kind: 'ok' }
  /** `+ ` and this in base64. */
  | { kind: 'challenge'; text: string }
  | { kind: 'maildrop'; messages: readonly MaildropMessage[] }
  /** CRLF line ends, any length; a few dozen KiB keep memory low and the socket busy. */
  | { kind: 'chunk'; bytes: Buffer }
  | { kind: 'end' }
  /** `-ERR [code] text`; with `close` the connection ends too. */
  | { kind: 'refused'; code?: ResponseCode; text: string; close?: boolean };
