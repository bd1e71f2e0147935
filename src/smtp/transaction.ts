/**
 * What is sent in one mail transaction, and what its sender asks for (RFC 5321 §3.3). How it is sent is in
 * client-transaction.ts.
 */

import type { MailRequests } from './mail-parameters.ts';
import type { RcptRequests } from './rcpt-parameters.ts';

export interface Transaction {
  /** Without brackets; '' is the null sender. */
  reversePath: string;
  recipients: readonly string[];
  sizeBytes: number;
  smtputf8: boolean;
  /**
   * What the sender asks of every server on the way; absent for nearly all mail. REQUIRETLS is passed on where it is offered;
   * whether the message may go where it is not, and what protects the session (RFC 8689 §4.2.1), is not looked at here.
   */
  requests?: Omit<MailRequests, 'hold'>;
  /** … and about each recipient, in their order. */
  recipientRequests?: readonly (RcptRequests | undefined)[];
  /** Begins to read the message: CRLF line ends, not dot-stuffed. May be called more than once. */
  content: () => Iterable<Buffer> | AsyncIterable<Buffer>;
  /**
   * The message for a receiver without 8BITMIME, or why there is none; undefined where it is 7-bit as it is. Absent: it
   * goes out as it is in any case.
   */
  inSevenBit?: () => Promise<SevenBitCopy | { reason: string } | undefined>;
}

export type SevenBitCopy = Pick<Transaction, 'content' | 'sizeBytes'>;
