/**
 * What crosses between the client's thread and the store thread: the operations with their arguments and results (flat
 * tuples where it is hot), and the messages that carry them. Shared by both sides, so that neither can drift.
 */

import type { ScramKeys } from '../../sasl/scram.ts';
import type { Account, AccountSettings, Alias, PublicAccount } from '../account-store.ts';
import type { OpenFailure } from '../errors.ts';
import type { Retention, TraceQuery } from '../event-store.ts';
import type { ClaimRequest, JobChange, QueueCounts, QueueFilter, Returned } from '../queue-store.ts';
import type { ReportKind, ReportQuery } from '../report-store.ts';
import type { Evidence } from './pages/examine.ts';
import type { JobTuple, MessageTuple } from './rows.ts';

/** A store of an earlier version was brought to this one; `kept`: where it lies as it was, if that was wanted. */
export interface Upgrade {
  from: number;
  to: number;
  kept?: string;
}

/**
 * Events of one message that are written together; `data` is JSON of EventTuple[], `keys` what they are found by.
 * `sentId` is the Message-ID, where this is the first entry of a message that was sent from here.
 */
export type EntryTuple = [queueId: string, lastAt: number, data: string, keys: string[], sentId?: string];

/** One event inside of an entry. */
export type EventTuple = [at: number, event: string, data: Record<string, unknown>, recipient?: string];

export type AcceptTuple = [message: MessageTuple, jobs: JobTuple[], claimed: boolean, entries: EntryTuple[]];

/** All but the number are null where the job is done; `memo` is JSON. */
export type ResultTuple = [
  number: number,
  nextAttemptAt: number | null,
  lastError: string | null,
  memo: string | null,
  attempts: 0 | 1,
  /** The job is for the Junk folder of this account from now on. */
  returned?: Returned,
];

/** `value` is JSON. */
export type MemoTuple = [kind: string, key: string, value: string, expiresAt: number | null];

export type SettleTuple = [
  queueId: string,
  results: ResultTuple[],
  entries: EntryTuple[],
  reports: AcceptTuple[],
  holdUntil: number | null,
];

export type JobName = [queueId: string, number: number];

/** A claimed job on its way back: whether it is in doubt is for whoever had it to say. */
export type ReturnedJob = [queueId: string, number: number, inDoubt: number];

/** A bounded step of a walk over the queue in the order of names; begins after `after`. */
export interface QueueStep {
  filter: QueueFilter;
  after: JobName | undefined;
  limit: number;
}

/** Where a walk goes on; undefined at its end. */
interface Onward {
  next?: JobName | undefined;
}

export type MessageWithJobs = [message: MessageTuple, jobs: JobTuple[]];

/** Events without their recipients: what is done, and for a new recipient where it comes from. */
interface ChangeEvents {
  done: EventTuple;
  arrived?: EventTuple | undefined;
}

export type ListedTuple = [job: JobTuple, reversePath: string, claimed: boolean];

/** `facts` is JSON. */
export type ReportMailTuple = [queueId: string, receivedAt: number, facts: string, octets: Buffer];

/** `data` is JSON. */
export type ReportTuple = [
  kind: ReportKind,
  queueId: string,
  receivedAt: number,
  sender: string,
  organization: string,
  reportId: string,
  domain: string,
  beginsAt: number,
  endsAt: number,
  data: string,
];

export type StoredReportTuple = [id: number, ...report: ReportTuple];

/** `detail` is JSON. */
export type ReportRowTuple = [
  source: string,
  headerFrom: string,
  disposition: string,
  dkimAligned: number,
  spfAligned: number,
  count: number,
  detail: string,
];

/** Each operation takes one argument and is done in one step that is short; what is long, the client repeats. */
export interface Operations {
  accept(entry: AcceptTuple): void;
  /** Resolves to the name of the spool file that nobody needs any more, if there is one. */
  settle(settlement: SettleTuple): string | undefined;
  claim(request: ClaimRequest): [MessageTuple, JobTuple[]][];
  nextDue(none: undefined): number | undefined;
  release(request: { jobs: ReturnedJob[]; holdUntil: number | undefined }): void;
  postpone(request: { jobs: ReturnedJob[]; until: number }): void;

  listJobs(step: QueueStep): { jobs: ListedTuple[] } & Onward;
  countAround(request: { job: JobName; now: number; limit: number }): { before: number; after: number };
  countJobs(step: Omit<QueueStep, 'limit'>): { counts: QueueCounts } & Onward;
  changeJobs(
    step: QueueStep & { change: JobChange; now: number; by: string; events: ChangeEvents | undefined },
  ): { jobs: JobTuple[]; spools: string[] } & Onward;
  takeJobs(step: QueueStep & { leaseEnd: number }): { taken: MessageWithJobs[] } & Onward;
  listDestinations(page: { after: string | undefined; limit: number }): string[];
  /** Lets destinations be claimed from that were held until `heldUntil`; resolves to how many there were. */
  unholdDestinations(step: { heldUntil: number; now: number; limit: number }): number;

  appendEvents(entries: EntryTuple[]): void;
  trace(query: TraceQuery): [queueId: string, data: string][];
  isSentFromHere(messageId: string): boolean;
  /** Entries, the newest first. */
  readEntries(page: { before: number; limit: number }): [id: number, queueId: string, data: string][];
  pruneEvents(retention: Retention): number;
  /** Erases an address from the dossiers of the groups of keys at and below `bucket`; resolves to where to go on. */
  eraseAddress(step: { address: string; bucket: number | undefined }): number | undefined;

  addAccounts(accounts: Account[]): string[];
  setPassword(change: { address: string; passwordHash: string; scramKeys: ScramKeys | undefined }): boolean;
  addScramKeys(change: { address: string; passwordHash: string; scramKeys: ScramKeys }): boolean;
  lacksScramKeys(none: undefined): boolean;
  setSettings(change: { address: string; settings: AccountSettings }): boolean;
  findAccount(address: string): Account | undefined;
  firstAccount(domain: string): string | undefined;
  listAccounts(none: undefined): PublicAccount[];
  removeAccount(address: string): boolean;
  setAlias(alias: Alias): void;
  findAlias(address: string): Alias | undefined;
  listAliases(none: undefined): Alias[];

  writeMemos(change: { memos: MemoTuple[]; entries: EntryTuple[]; now: number }): void;
  findMemo(wanted: { kind: string; key: string; now: number }): MemoTuple | undefined;
  listMemos(wanted: { kind: string; now: number }): MemoTuple[];
  removeMemos(change: { kind: string; keys: string[]; entries: EntryTuple[] }): number;

  addReportMail(mail: ReportMailTuple): void;
  nextReportMail(none: undefined): ReportMailTuple | undefined;
  settleReportMail(change: { report: ReportTuple; rows: ReportRowTuple[] }): boolean;
  listReports(query: ReportQuery): StoredReportTuple[];
  listReportRows(page: { report: number; after: number; limit: number }): ReportRowTuple[];
  /** Resolves to how many went, none where there is nothing left to do. */
  pruneReports(retention: { before: number; most: number }): number;

  /** Gives a bounded number of free pages back to the file system; resolves to whether there are more. */
  reclaim(none: undefined): boolean;
}

export type OperationName = keyof Operations;

export type Argument<Name extends OperationName> = Parameters<Operations[Name]>[0];

export type Result<Name extends OperationName> = ReturnType<Operations[Name]>;

export type Operation = { [Name in OperationName]: [name: Name, argument: Argument<Name>] }[OperationName];

/** Operations that were asked for in one turn of the client's event loop, with the memory of their octets; or the end. */
export type Batch = { operations: Operation[]; blocks: ArrayBuffer[] } | Order;

/** `freeze`: from its answer to that to `thaw` the database file holds all that was committed before, and does not change. */
export type Order = 'freeze' | 'thaw' | 'close';

/** Why an operation was not done: refused by itself, for want of disk space, or because the store is lost. */
export interface Failure {
  kind: 'refused' | 'full' | 'lost';
  message: string;
}

/** The answer to one batch: values by position, absent where all are undefined; failures by position. */
export interface BatchReply {
  values?: unknown[];
  failures?: [position: number, failure: Failure][];
}

/** A spool file in use: octets of the content. */
export type SpooledTuple = [name: string, sizeBytes: number];

/** What the store thread says: once at its start, then an answer per group (one or more batches). */
export type Report =
  | { kind: 'opened'; spooled: SpooledTuple[]; inDoubt: number; evidence: Evidence; upgraded?: Upgrade }
  | { kind: 'unopened'; failure: { kind: OpenFailure; message: string } }
  /** The batches' memory comes back, to be used again. */
  | { kind: 'done'; replies: BatchReply[]; blocks: ArrayBuffer[] }
  /** A checkpoint failed, or damage was found: nothing more can be promised. */
  | { kind: 'lost'; message: string }
  /** `failure`: why it is not. */
  | { kind: 'frozen'; failure?: Failure }
  /** `held`: it was frozen all the time. */
  | { kind: 'thawed'; held: boolean }
  | { kind: 'closed' };
