/** A recipient of a message as the store keeps it, until there is nothing more to be done for it. */

import type { DeliverByRequest } from './message.ts';

export interface JobRow {
  queueId: string;
  /** Number of the recipient within its message, from 0. (queueId, number) names a job. */
  number: number;
  /** `user@domain` to deliver to; for a local job the account's address. */
  recipient: string;
  /** What the sender wrote, if an alias or `postmaster` was resolved to `recipient`. */
  originalRecipient?: string;
  kind: 'local' | 'remote';
  /** Remote: the recipient's domain in A-labels. Local: ''. */
  destination: string;
  /** Local only: the folder chosen by the verdict. */
  folder?: 'Inbox' | 'Junk';
  /** Finished attempts so far, and times that it was put off without one (`memo.putOff`): steps of the schedule. */
  attempts: number;
  queuedAt: number;
  nextAttemptAt: number;
  /** Given up for good after this moment. */
  expiresAt: number;
  /** Last reply or error, one line, for `queue list`. */
  lastError?: string;
  /** An earlier run of the server stopped while this job was claimed: the attempt's result is not known. */
  inDoubt?: boolean;
  requests?: JobRequests;
  memo?: JobMemo;
  /** Local only: what the recipient's policy made of the message, the value of a header field that delivery writes. */
  verdict?: string;
}

/** What the sender asked for about this recipient. */
export interface JobRequests {
  /** NOTIFY of a DSN (RFC 3461 §4.1); absent: failure, and delay as we see fit. */
  notify?: readonly ('never' | 'success' | 'failure' | 'delay')[];
  /** ORCPT of a DSN (RFC 3461 §4.2) as it came: `rfc822;xtext`. */
  orcpt?: string;
  /** Of the message, all three. */
  deliverBy?: DeliverByRequest;
  priority?: number;
  releaseAt?: number;
}

/** What one attempt leaves to the next. */
export interface JobMemo {
  /** Our address by which the receiver knows this job (greylisting). */
  source?: string;
  /** When the receiver greylisted it first, in ms since the epoch. */
  greylistedAt?: number;
  /** Times that it was put off without an attempt, since its site was in trouble or suspended. */
  putOff?: number;
  /** Attempts that ended without a reply to the final dot. */
  lostReplies?: number;
  /** Attempts after a refusal that may heal. */
  healing?: number;
  /** What the sender has been told already. */
  told?: readonly ('delay' | 'healing')[];
  /** The mailing list that it came by: its owner hears of what goes wrong, and its header fields are added. From the beginning. */
  list?: { address: string; owner: string; name?: string };
  /** The account that has this passed on: what is refused goes back into its Junk folder. From the beginning. */
  forwardedBy?: string;
  /** Besides, a copy stays here: what is refused need not come back. */
  copyKept?: true;
  /** This is what has come back so: for whom it was, and what went wrong. */
  returned?: { from: string; reason: string };
  /** Put on hold by somebody; what the job had before. */
  held?: { by: string; at: number; nextAttemptAt: number; expiresAt: number };
}

/** Not yet tried or to be tried again; put on hold by somebody; claimed: being tried, or in memory for it. */
export type JobState = 'waiting' | 'held' | 'underway';
