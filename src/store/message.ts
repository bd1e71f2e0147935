/** A message as the store keeps it: its envelope, what its sender asked for, and where its octets lie. */

/** A file that is open as long as its owner, or somebody who reads it, has a use for it. */
export interface OpenFile {
  /** Begins to read; undefined where it has been closed. */
  openReader(): FileReader | undefined;
}

export interface FileReader {
  /** Resolves to how many octets of the file's, from `position` on, are in `block` now: fewer than it has room for. */
  read(block: Uint8Array, position: number): Promise<number>;
  /** To be called once, when nothing more is read. */
  close(): Promise<void>;
}

/** The octets of a message after its prepended header fields, CRLF line ends, not dot-stuffed. */
export type Content =
  | { kind: 'inline'; bytes: Buffer }
  /** At the beginning of a file in the spool: on disk, the file's name too, before the row that names it. */
  | {
      kind: 'spool';
      path: string;
      sizeBytes: number;
      /** The same file where it is open still: reading it anew by its path costs more than its octets do. */
      file?: OpenFile;
      /** CRC-32 of these octets; absent where it was accepted by a version that kept none. */
      sum?: number;
    }
  /** The octets on disk are not those that were accepted, and are never given out. */
  | { kind: 'damaged'; sizeBytes: number };

export interface MessageRow {
  /** Time-ordered and unique; also the name people use for it (`posthorn trace ID`). */
  queueId: string;
  acceptedAt: number;
  /** `user@domain` without brackets; '' is the null sender `<>`. */
  reversePath: string;
  /** The account that submitted it; absent for mail from outside. */
  submitter?: string;
  /** Header fields that we prepended (Received, DKIM-Signature, Authentication-Results …), CRLF line ends. */
  prefix: Buffer;
  content: Content;
  /** prefix + content, in octets. */
  sizeBytes: number;
  /** BODY=8BITMIME was declared (RFC 6152). */
  eightBit: boolean;
  /** SMTPUTF8 was declared (RFC 6531). */
  smtputf8: boolean;
  /**
   * Whom to tell if it cannot be delivered: `sender` (if there is one) and postmaster where it is proven who that is;
   * the postmaster alone, or the report could go to somebody whose address was forged; nobody for our own reports.
   */
  failuresTo: 'sender' | 'postmaster' | 'nobody';
  /** The Message-ID header field's value with its angle brackets; for `trace`. */
  messageId?: string;
  requests?: MessageRequests;
  /**
   * The span that the message's further spans hang from (W3C Trace Context §3.2, `00-TRACE-SPAN-FLAGS`): that of its receipt,
   * put here by whoever writes that span, as the message is accepted; before, the one that this is a part of. Absent for
   * nearly all mail.
   */
  traceparent?: string;
}

/** What the sender asked for beyond delivery, of every hop. Absent for nearly all mail. */
export interface MessageRequests {
  /** REQUIRETLS (RFC 8689 §2). */
  requireTls?: true;
  /** `TLS-Required: No` (RFC 8689 §3). */
  tlsOptional?: true;
  /** ENVID of a DSN (RFC 3461 §4.4), decoded from xtext. */
  envid?: string;
  /** RET of a DSN (RFC 3461 §4.3). */
  ret?: 'full' | 'headers';
  /** BY (RFC 2852). */
  deliverBy?: DeliverByRequest;
  /** MT-PRIORITY (RFC 6710), -9 to 9. */
  priority?: number;
  /** HOLDFOR or HOLDUNTIL (RFC 4865), ms since the epoch. */
  releaseAt?: number;
}

/** By when the sender wants it delivered, ms since the epoch; else it is returned (R), or that is told (N). */
export interface DeliverByRequest {
  at: number;
  mode: 'R' | 'N';
  trace?: true;
}

/** For what belongs to the message: its part in a trace, where it has one. */
export const tracedAs = ({
  traceparent,
}: Pick<MessageRow, 'traceparent'>): Pick<MessageRow, 'traceparent'> =>
  traceparent === undefined ? {} : { traceparent };
