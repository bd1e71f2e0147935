/** Requests and answers about the queue. */

import type { SiteOutlook } from '../../queue/outlook.ts';
import type { Suspension } from '../../queue/suspensions.ts';
import type { QueueFilter, QueuePage } from '../../store/queue-store.ts';

/** Recipients that match all that is given. */
export interface QueueSelection extends Omit<QueueFilter, 'destination' | 'localDomain'> {
  /** Of the recipient; one of ours means local delivery there. */
  domain?: string;
  /** The receiving site, by one of its hosts or a domain that they lie in; `local` is this server. */
  site?: string;
}

export interface QueueRequest extends QueueSelection {
  /** `next` of the page before. */
  after?: string;
  /** Jobs at most. */
  limit: number;
}

/** How the jobs of a message stand that wait still. */
export interface OutlookResult {
  /** By the server's clock. */
  now: number;
  /** Deliveries at once, of the whole server; absent where none runs. */
  concurrency?: number;
  jobs: JobOutlook[];
}

export interface JobOutlook {
  recipient: string;
  /** A–labels; '' for our own mailboxes. */
  destination: string;
  nextAttemptAt: number;
  expiresAt: number;
  /** In memory: under way, or in line. */
  claimed: boolean;
  /** Put on hold, and by whom. */
  heldBy?: string;
  /** What an operator has suspended, in words, and until when, if that is known. */
  suspended?: { what: string; until?: number };
  /** Others for its destination that wait in the store: those that are due before, and those that are due by now, too. */
  ahead: number;
  behind: number;
  /** Absent where no server runs. */
  site?: SiteOutlook;
}

/**
 * A recipient that waits; `suspended` is why nothing is tried, where an operator wants it so. With `inLine` it is due, and
 * waits for a place at its site; with `claimed` it is being tried.
 */
export type QueuedJob = QueuePage['jobs'][number] & { suspended?: Suspension; inLine?: true };

export interface QueueCountRequest extends QueueSelection {
  /** Rejects where nothing is known to go to the site, and something may. Default: counts what is known. */
  mustKnow?: boolean;
}

export interface QueueListing {
  jobs: QueuedJob[];
  next?: string;
}

/** Who gives an order, and why: for the dossier. */
export interface Ordered {
  /** The user of the machine. Whoever can reach the store may do everything, so this is taken as it is told. */
  by: string;
  reason?: string;
}

export type QueueOrder =
  | { kind: 'retry' | 'hold' | 'release' | 'drop' }
  /** To this address; one of ours may be an alias of one account. */
  | { kind: 'redirect'; to: string }
  /** Ends it now, and tells the sender. */
  | { kind: 'bounce' };

export interface QueueOrderRequest extends Ordered {
  selection: QueueSelection;
  order: QueueOrder;
  /** `next` of the step before. */
  after?: string;
}

export interface QueueOrderResult {
  /** Those that were changed. */
  jobs: { queueId: string; recipient: string }[];
  /** There may be more. */
  next?: string;
}

export interface SuppressionsRequest {
  /** `next` of the page before. */
  after?: string;
  limit: number;
}
