/** What the store keeps of mail under way: taken, handed out to whoever tries it, settled; listed and changed by operators. */

import type { EventRow } from './event-store.ts';
import type { JobMemo, JobRow, JobState } from './job.ts';
import type { MessageRow } from './message.ts';

export interface NewMessage {
  message: MessageRow;
  jobs: JobRow[];
  events: EventRow[];
  /**
   * Jobs are inserted already claimed by this process: they are worked on from memory at once. Such a claim has no
   * lease: it lasts until it is settled or released, or this process ends.
   */
  claimed: boolean;
  /** Handed in by one of us: `isSentFromHere` knows its Message-ID for as long as its events are kept. */
  sentFromHere?: boolean;
}

/** What is asked of a job that goes back. */
export type ClaimedJob = Pick<JobRow, 'queueId' | 'number' | 'inDoubt'>;

/** A message with those of its jobs that were claimed together. */
export interface ClaimedMessage {
  message: MessageRow;
  jobs: JobRow[];
}

export interface ClaimRequest {
  now: number;
  /** Jobs at most. */
  limit: number;
  leaseMs: number;
  /**
   * Of each destination its share at most: one job, then, as long as none of it is given back with `holdUntil`, twice as
   * many at each further claim.
   */
  byShares?: boolean;
  /** Just these, as far as they are not claimed, whether they are due or not. */
  only?: readonly { queueId: string; number: number }[];
}

export type JobResult =
  | { number: number; result: 'done' }
  | {
      number: number;
      result: 'retry';
      nextAttemptAt: number;
      lastError: string;
      /** Takes the place of the job's; absent: it has none any more. */
      memo?: JobMemo;
      /** It was claimed for something else than an attempt: none is counted. */
      untried?: true;
      /** From now on a job for the Junk folder of that account, for which nothing was tried yet. */
      returned?: Returned;
    };

/** Where the job goes that has come back, and until when that is tried. */
export interface Returned {
  account: string;
  expiresAt: number;
}

/** What became of some of a message's jobs; written in one transaction with its events and reports. */
export interface Settlement {
  queueId: string;
  results: JobResult[];
  events: EventRow[];
  /** DSNs and notices that this outcome gives rise to. */
  reports: NewMessage[];
  /** The message's own, where it has one: for whoever writes spans. */
  traceparent?: string;
  /** The site was not reached: holds the destinations of the jobs that are tried again, as `release` can. */
  holdUntil?: number;
}

/** Jobs that match all that is given. */
export interface QueueFilter {
  /** To this domain; '' is local delivery. */
  destination?: string;
  /** Of local delivery, recipients in this domain of ours. */
  localDomain?: string;
  queueId?: string;
  recipient?: string;
  /** The reverse-path; '' is the null sender. */
  sender?: string;
  /** The account that submitted it. */
  submitter?: string;
  /** By whom it is held. */
  heldBy?: string;
  /** Not what this one holds. */
  notHeldBy?: string;
  /** Queued at this moment or earlier, or later: ms since the epoch. */
  queuedBefore?: number;
  queuedAfter?: number;
  state?: JobState;
}

export interface QueuePage {
  jobs: (JobRow & { reversePath: string; claimed: boolean })[];
  /** Pass as `after` for the next page; absent on the last. */
  next?: string;
}

export type QueueCounts = Record<JobState, number>;

/** What an administrator does to jobs that are not claimed. */
export type JobChange =
  /** Due now. What is held stays held. */
  | { kind: 'retry' }
  /** Not claimed, and not given up, until it is released. */
  | { kind: 'hold' }
  /** As it was before; the time that it was held is added to its end. */
  | { kind: 'release' }
  | { kind: 'drop' }
  /** To another address, for which nothing was tried yet. What is held stays held. */
  | { kind: 'redirect'; to: Pick<JobRow, 'recipient' | 'kind' | 'destination'> };

/** An event of each job that is changed. */
type JobEvent = Pick<EventRow, 'event' | 'data'>;

export interface QueueChange {
  filter: QueueFilter;
  change: JobChange;
  now: number;
  by: string;
  /** Recorded for each job, and for the new recipient of a redirected one (with the old one as `from`). */
  events?: { done: JobEvent; arrived?: JobEvent };
  /** `next` of the step before. */
  after?: string;
  /** Jobs changed at most. */
  limit: number;
}

/** Claims matching jobs, due or not, for somebody who ends them at once. */
export interface TakeRequest {
  filter: QueueFilter;
  now: number;
  leaseMs: number;
  after?: string;
  limit: number;
}

export interface QueueStore {
  /**
   * Inserts message, jobs and events. Resolves when committed: the moment before `250`. The buffers may be reused at
   * once. A spool file is the store's from here on: it goes with the message's last job, or when the disk is full.
   */
  accept(entry: NewMessage): Promise<void>;
  /**
   * Claims jobs due at `now`, with a lease of `leaseMs`: of each destination the oldest first, and those destinations
   * first that have waited longest. Jobs whose lease ran out, or that were claimed when an earlier run
   * ended, come back by this with `inDoubt` set.
   */
  claim(request: ClaimRequest): Promise<ClaimedMessage[]>;
  /** The earliest moment at which a job can be claimed, a lease that runs out included. */
  nextDue(): Promise<number | undefined>;
  /** A job that was dropped meanwhile is passed over; its events are recorded all the same. */
  settle(settlement: Settlement): Promise<void>;
  /**
   * Gives claimed jobs back as they were claimed: in doubt only if they came so, however long they were held. With `holdUntil`, nothing for their destinations is claimed before that moment,
   * however much of it is due: only what has reached its end. A retry by `changeJobs` ends this.
   */
  release(jobs: ClaimedJob[], holdUntil?: number): Promise<void>;
  /** Gives claimed jobs back, none of them to be claimed before that moment; others for the same destinations do not wait. */
  postpone(jobs: ClaimedJob[], until: number): Promise<void>;

  listJobs(page: QueueFilter & { after?: string; limit: number }): Promise<QueuePage>;
  /**
   * How many unclaimed jobs for a job's destination are due before it is, and how many after it but by `now`: a claim takes
   * from both ends. Counts each up to `limit`; none where there is no such job.
   */
  countAround(
    job: { queueId: string; number: number },
    request: { now: number; limit: number },
  ): Promise<{ before: number; after: number }>;
  /** How many match. Walks over all that its filter's index finds, in steps. */
  countJobs(filter: QueueFilter): Promise<QueueCounts>;
  /**
   * Changes matching jobs that are not claimed, a bounded number at a time, in the order of their names; resolves to those
   * that were changed, as they were. With `next` there may be more.
   */
  changeJobs(change: QueueChange): Promise<{ jobs: JobRow[]; next?: string }>;
  takeJobs(request: TakeRequest): Promise<{ taken: ClaimedMessage[]; next?: string }>;
  /** Destinations of jobs, in order, after that one. */
  listDestinations(after: string | undefined, limit: number): Promise<string[]>;
  /** Ends the wait of the destinations that are held until exactly that moment. */
  unholdDestinations(heldUntil: number, now: number): Promise<void>;
}
