/**
 * The one interface to everything durable. Whatever a method's promise has resolved for is on disk; while it is
 * pending, nothing is promised. Engines: `sqlite/` (embedded, one writer thread with group commit); PostgreSQL later.
 * Knows messages, jobs, events and accounts as rows; what they mean is decided above.
 */

import type { ScramKeys } from '../sasl/scram.ts';
import type { ReportStore } from './reports.ts';
import type { Spool } from './spool.ts';

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

/**
 * A small fact that outlives a restart and belongs to no message: a policy that was fetched, what a receiver needed, what
 * an operator decided.
 */
export interface Memo {
  kind: string;
  /** Names it among those of its kind. */
  key: string;
  /** Must survive JSON. */
  value: unknown;
  /** Not given out any more from this moment on, and removed some time after. */
  expiresAt?: number;
}

/**
 * An entry of a message's dossier. `data` must survive JSON. The vocabulary is in dossier/event.ts. `trace` finds it by
 * its recipient and by the addresses and the Message-ID in the fields `from`, `to` and `messageId` of its data; the
 * events of a new message by that message's too.
 */
export interface EventRow {
  at: number;
  queueId: string;
  recipient?: string;
  event: string;
  data: Record<string, unknown>;
}

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
  /** The site was not reached: holds the destinations of the jobs that are tried again, as `release` can. */
  holdUntil?: number;
}

export interface Account {
  /** Lower-case `user@domain`. */
  address: string;
  /** argon2id, in PHC string form. */
  passwordHash: string;
  createdAt: number;
  /** Absent: none was made; see AccountSettings. */
  settings?: AccountSettings;
  /** Made of the same password; absent where it was set before there were any. */
  scramKeys?: ScramKeys;
}

/** What holds for one mailbox; what is absent is as the domain or the server has it. */
export interface AccountSettings {
  /** Name of the policy for what comes in. */
  policy?: string;
  /** false: nobody can send to it. */
  receive?: false;
  /** false: its user can submit nothing. */
  send?: false;
  /** Octets of mail that it may hold. */
  quotaBytes?: number;
  /** Patterns of senders whose mail is unwelcome, or welcome, besides those of the policy. */
  block?: readonly string[];
  allow?: readonly string[];
  /** Its mail goes on to these addresses, as `addressKey()` writes those of ours; with `keep`, a copy stays here. */
  forward?: { to: readonly string[]; keep?: true };
  /** Recipients within an hour, before what its user sends is held; 0: as many as they like. */
  hourlyRecipients?: number;
  /** Nobody logs in, since then; with `refusesMail`, nobody can send to it either. */
  suspended?: { at: number; refusesMail?: true };
  /** Its own password is not for mail programs: each has one of its own (app-passwords.ts). */
  appPasswordsOnly?: true;
  /** As though it were not there, until it is erased; with `isUnknown`, senders are told that it never was. */
  removed?: { at: number; eraseAt: number; isUnknown?: true };
}

export type { ScramKeys };

/** What may be shown of an account. */
export interface PublicAccount extends Omit<Account, 'passwordHash' | 'scramKeys'> {
  /** It can log in by SCRAM. */
  hasScramKeys: boolean;
}

export interface Alias {
  /** Lower-case `user@domain`. */
  address: string;
  /** Addresses of accounts, aliases or remote recipients. */
  targets: string[];
  /** Present: it is a mailing list. */
  list?: MailingList;
}

export interface MailingList {
  /** An address of ours that hears of what cannot be delivered. */
  owner: string;
  /** Who may write to it: anybody, its members and its owner, or everybody of a domain of ours. */
  post: 'anybody' | 'members' | 'domain';
  /** For people. */
  name?: string;
}

/** Not yet tried or to be tried again; put on hold by somebody; claimed: being tried, or in memory for it. */
export type JobState = 'waiting' | 'held' | 'underway';

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

/** The first criterion that is given counts; with none, all messages match. */
export interface TraceQuery {
  queueId?: string;
  /** With angle brackets. */
  messageId?: string;
  /** A sender's or recipient's address, lower-case. */
  address?: string;
  /** Newest dossiers first, at most this many. */
  limit: number;
}

/** Events of the past. */
export interface EventPage {
  events: EventRow[];
  /** Absent where there are none before these. */
  next?: number;
}

/** How much of the past is kept. */
export interface Retention {
  /** Events older than this moment go. */
  before: number;
  /** The oldest go until the events' data is below this. */
  maxBytes: number;
}

export interface Freeze {
  /** To be called once. Resolves to false where the file has changed before: what was copied may be worth nothing. */
  end(): Promise<boolean>;
}

/**
 * Every method rejects with StoreFullError when the disk is full (nothing was written, later calls may succeed), with
 * StoreBrokenError when nothing can be promised any more, and with a plain Error when this operation alone was refused.
 */
export interface Store extends ReportStore {
  /** Where large contents are written before their message is accepted. */
  readonly spool: Spool;
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

  appendEvents(events: EventRow[]): Promise<void>;
  /** The events of matching messages, in order of time within each message. */
  trace(query: TraceQuery): Promise<EventRow[]>;
  /** Whether a message of this Message-ID, with its angle brackets, left from here. Cheap however long the past is. */
  isSentFromHere(messageId: string): Promise<boolean>;
  /** The newest events first, those that were written together in order; from `before`, the `next` of the page before, on. */
  readEvents(page: { before?: number; limit: number }): Promise<EventPage>;
  /** Removes old events in bounded steps; resolves to how many went. */
  pruneEvents(retention: Retention): Promise<number>;

  /**
   * Inserts accounts, in steps of which each is all or nothing; resolves to the addresses that exist already (these are
   * left as they are).
   */
  addAccounts(accounts: Account[]): Promise<string[]>;
  /** Resolves to false where there is no such account. */
  setPassword(address: string, passwordHash: string, scramKeys?: ScramKeys): Promise<boolean>;
  /** Resolves to false where there is no such account, or its password has another hash by now. */
  addScramKeys(address: string, passwordHash: string, scramKeys: ScramKeys): Promise<boolean>;
  /** Whether there is an account without SCRAM keys. */
  lacksScramKeys(): Promise<boolean>;
  /** In the place of all that was set before. Resolves to false where there is no such account. */
  setSettings(address: string, settings: AccountSettings): Promise<boolean>;
  /** Not one that was removed, though its row is there until it is erased; nor do the two after this name it. */
  findAccount(address: string): Promise<Account | undefined>;
  /** The domain's account that was created first. */
  firstAccount(domain: string): Promise<string | undefined>;
  listAccounts(): Promise<PublicAccount[]>;
  findRemovedAccount(address: string): Promise<Account | undefined>;
  listRemovedAccounts(): Promise<PublicAccount[]>;
  /**
   * Erases the account and the dossiers of what it sent and received; resolves to false where there is none. Of
   * messages that others received too, their part stays, with the address struck out. Its Maildir stays.
   */
  eraseAccount(address: string): Promise<boolean>;
  /** Sets or, with no targets, removes an alias. */
  setAlias(alias: Alias): Promise<void>;
  findAlias(address: string): Promise<Alias | undefined>;
  listAliases(): Promise<Alias[]>;

  /** Writes memos in the place of those of the same kind and key, together with what is to be told of it in dossiers. */
  writeMemos(memos: Memo[], events?: EventRow[]): Promise<void>;
  findMemo(kind: string, key: string): Promise<Memo | undefined>;
  /** All of a kind, by their keys. */
  listMemos(kind: string): Promise<Memo[]>;
  /** Resolves to how many there were. */
  removeMemos(kind: string, keys: string[], events?: EventRow[]): Promise<number>;

  /**
   * Leaves as they are, for somebody who copies them, the database file, which holds all that was acknowledged before, and
   * the spool files that it names. One at a time.
   */
  freeze(): Promise<Freeze>;

  /** Resolves with the error when the store can promise nothing any more (a failed fsync, a lost disk). */
  readonly broken: Promise<Error>;
  close(): Promise<void>;
}
