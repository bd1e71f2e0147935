/** What an SMTP session is told, what it asks, and the limits it keeps by itself. */

import type { TlsInfo } from '../net/machine.ts';
import type { Claim } from '../sasl/exchange.ts';
import type { Parameters } from './command.ts';
import type { Reply } from './reply.ts';
import type { SchedulingTerms } from './scheduling-parameters.ts';

export interface SmtpSessionOptions {
  /** Our name in the banner and the EHLO reply. */
  hostname: string;
  /** Milliseconds since the epoch, for the dialogue's times. */
  now: () => number;
  /** LMTP is spoken: LHLO, and an answer to the message for each recipient (RFC 2033). */
  lmtp?: boolean;
  /** STARTTLS is offered while there is no TLS. */
  startTls: boolean;
  /** Set where TLS was there from the first octet. */
  tls?: TlsInfo;
  /** Mechanisms of AUTH, offered once there is TLS; none: no AUTH. */
  auth: readonly string[];
  /** Message data with a bare CR or LF is refused, or made CRLF. */
  bareNewline: 'reject' | 'normalize';
  messageBytes: number;
  /** FUTURERELEASE, DELIVERBY and MT-PRIORITY are offered, once there is TLS. */
  scheduling?: SchedulingTerms;
  recipients: number;
  commands: number;
}

/**
 * What the session asks its application to decide. An answer of `undefined` means the session's own reply, given in
 * brackets. A 421 ends the session whatever it answers.
 */
export type SmtpEvent =
  /** A connection: [220 banner]. Any 4xx or 5xx ends it. */
  | { type: 'connect' }
  /** [250 with our extensions]. Ends a transaction that was open. */
  | { type: 'hello'; verb: 'HELO' | 'EHLO'; name: string }
  /** TLS has started; all that was said before is forgotten. The answer is not sent. */
  | { type: 'tls'; tls: TlsInfo }
  /** [535]: a positive answer makes the session authenticated; with a 334 the exchange goes on. */
  | { type: 'authenticate'; claim: Claim }
  /** [250]. `path` is what stood in the angle brackets, '' for the null sender. */
  | { type: 'mail'; path: string; parameters: Parameters }
  /** [250] */
  | { type: 'recipient'; path: string; parameters: Parameters }
  /** Message data would begin: [354, or for BDAT nothing yet]. */
  | { type: 'data' }
  /** A piece of the message, CRLF line ends, dot-stuffing undone. The answer is not sent. */
  | { type: 'chunk'; bytes: Buffer }
  /** All of the message is there. With a `fault` it must be dropped: [the fault]; else an answer is required. */
  | { type: 'message'; sizeBytes: number; fault?: Reply }
  /** RSET: the transaction is over. The answer is not sent. */
  | { type: 'reset' };

/** Octets of a command line with its CRLF. RFC 5321 §4.5.3.1.4 asks for 512, plus what extensions add. */
export const maxCommandLineBytes = 2048;
/** Octets of a line in an AUTH exchange, and of AUTH itself with its initial response (RFC 4954 §4). */
export const maxAuthLineBytes = 12_288;
/** Octets of one endless line that are read before the session is ended. */
export const maxSkippedBytes = 1024 * 1024;
/** Commands with wrong syntax or in the wrong order in one session. */
export const maxErrors = 100;
