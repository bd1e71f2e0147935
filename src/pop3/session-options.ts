/** What a POP3 session is told, and the limits that it keeps by itself. */

import type { TlsInfo } from '../net/machine.ts';
import { longestResponseChars } from '../sasl/mechanisms.ts';

/** Octets of a command line with its end (RFC 2449 §4). */
export const maxCommandLineBytes = 255;
/** Octets of a response within AUTH with its end: what the mechanisms can use (RFC 5034 §4 sets no other limit). */
export const maxSaslLineBytes = longestResponseChars + 2;
/** Octets of one line without an end that are thrown away before the session is ended. */
export const maxSkippedBytes = 64 * 1024;
/** Commands that were wrong or out of place in one session; one more ends it. */
export const maxFaults = 20;
/** Octets of output that may wait for the peer; with more, no further command is read and no listing goes on. */
export const maxPendingBytes = 64 * 1024;

export interface Pop3SessionOptions {
  /** Our name in the greeting. */
  hostname: string;
  /** STLS is offered while there is no TLS. */
  startTls: boolean;
  /** Set where TLS was there from the first octet. */
  tls?: TlsInfo;
  /** USER, PASS and AUTH are taken without TLS too. */
  allowPlaintextAuth: boolean;
  /** Of AUTH. */
  mechanisms: readonly string[];
}
