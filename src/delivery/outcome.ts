/** What came of one attempt for one recipient. A value, never an exception. */

import type { DossierEvent, Endpoint } from '../dossier/event.ts';
import type { Reply } from '../smtp/reply.ts';

export type Outcome =
  | {
      kind: 'delivered';
      reply?: Reply;
      endpoint?: Endpoint;
      folder?: string;
      file?: string;
      /** The receiver offers DSN: what the sender wants to hear of success comes from there (RFC 3461 §5.2.1). */
      reportsThere?: true;
      /** The receiver offers DELIVERBY: it keeps the time that the sender has set, or tells (RFC 2852 §4.1). */
      keepsTimeThere?: true;
      /** The path of the program that took it. */
      program?: string;
    }
  | ({ kind: 'deferred'; remedy?: 'IPv4' } & Trouble)
  | ({ kind: 'failed'; remedy?: Remedy } & Trouble)
  /** The connection broke after the final dot and before its reply: it may have been delivered. Tried again. */
  | ({ kind: 'inDoubt' } & Trouble);

/** What may undo a refusal for good: a few more attempts, or the same message at once over IPv4 (replies/failure-rules.ts). */
export type Remedy = 'heals' | 'IPv4';

/** An outcome for each job, in their order, and what happened on the way. */
export interface Attempt {
  outcomes: readonly Outcome[];
  events: readonly DossierEvent[];
}

export interface Trouble {
  /** Enhanced status for a DSN's Status field, e.g. `4.4.1` (RFC 3463). */
  status: string;
  /** What went wrong, for people: the reply in full, or the error. */
  reason: string;
  /** What we were doing, in words: "sending RCPT TO", "looking up MX of example.net". */
  phase: string;
  /** The rule that made it this outcome: "4xx: try again later". */
  rule: string;
  reply?: Reply;
  endpoint?: Endpoint;
  /** The octets on our own disk are not those that were accepted: somebody must look at it. */
  copyIsDamaged?: boolean;
  /** TLS has failed, and where it fails until this moment, ms since the epoch, clear text is used. */
  clearTextFrom?: number;
  /** Of our own making, and about this sender alone: it says nothing of the receiver, whom others may reach. */
  isOurs?: true;
}

/** An attempt that says nothing about a recipient is a bug; the recipient is tried again. */
export const forgotten: Outcome = {
  kind: 'deferred',
  status: '4.3.0',
  phase: 'delivering',
  reason: 'the attempt ended without an outcome for this recipient',
  rule: 'internal error: try again later',
};

/**
 * What a claim without an outcome has come to: the server went down while the job was in memory, in line or under way. To
 * tell the two apart, each attempt would have to be written down before it begins.
 */
export const interrupted: Outcome = {
  kind: 'inDoubt',
  status: '4.3.0',
  phase: 'delivering',
  reason: 'the server went down while it had this in hand',
  rule: 'nobody knows whether that was tried, and how it ended: it is tried again later, and may arrive twice',
};
