/** SASL (RFC 4422) without I/O: what both SMTP AUTH (RFC 4954) and POP3 AUTH (RFC 5034) step through, line by line. */

import type { ChannelBinding } from './scram.ts';

export interface Credentials {
  /** The identity to act as; '' where it is that of the user. */
  authorizationId: string;
  user: string;
  password: string;
}

/** One message of a mechanism that does not hand over a password; what it is worth is found out where accounts are known. */
export interface MechanismMessage {
  mechanism: string;
  /** Decoded. */
  message: string;
  /** The first of its exchange: whatever was said in an earlier one is over. */
  begins: boolean;
  /** Of the TLS connection it came over; absent where -PLUS is not offered. */
  binding?: ChannelBinding | undefined;
}

/** What somebody logs in for. */
export type Service = 'submission' | 'pop3';

/** Who a client says it is, not yet believed. */
export type Claim = Credentials | MechanismMessage;

export type SaslStep =
  /** Base64, for the client's eyes: sent after `334 ` or `+ `. */
  | { kind: 'challenge'; challenge: string }
  | { kind: 'claim'; claim: Claim }
  /** The client cancelled (`*`) or the line is not what the mechanism allows; `text` says which. */
  | { kind: 'error'; reason: 'cancelled' | 'malformed'; text: string };

export interface SaslExchange {
  /**
   * Takes the client's next line in base64 (`=` is the empty initial response), or undefined where AUTH came without one.
   * After a claim there is a next line only where its answer was a challenge.
   */
  step(line: string | undefined): SaslStep;
}

/** What a mechanism makes of a message that was handed on to it. */
export type MechanismStep =
  /**
   * To be sent to the client, whose answer is awaited. `user`: who it says that it is, before anything of it is checked.
   * `hasFailed`: no answer can change that it has, and there need not be one.
   */
  | { kind: 'challenge'; text: string; user?: string; hasFailed?: true }
  /** That is who it is. `authorizationId` is whom it wants to act as, or ''. */
  /** With `appPassword`, it has proven the one of that name. */
  | { kind: 'proven'; user: string; authorizationId: string; appPassword?: string }
  | { kind: 'wrong'; user: string }
  | { kind: 'malformed'; text: string }
  /** It cannot be found out now. */
  | { kind: 'unavailable'; text: string };

/** The server's part of one exchange, with what it needs to know of accounts. */
export interface MechanismServer {
  respond(message: string): Promise<MechanismStep>;
}

export type StartMechanism = (binding: ChannelBinding | undefined, service: Service) => MechanismServer;

/** What goes out as a challenge. */
export const encodeChallenge = (text: string): string => Buffer.from(text).toString('base64');
