/**
 * What can be done to a mail server, whoever asks: a command with the server down, a command through the control socket of
 * a running one, a web page. Requests and answers are plain data that survive JSON, but for a message's content.
 */

import type { AddressCheck } from '../delivery/check/check-address.ts';
import type { SourceReport } from '../delivery/guard/guard.ts';
import type { KnownReceiver } from '../delivery/receivers/receiver-memo.ts';
import type { DossierEvent } from '../dossier/event.ts';
import type { Braked } from '../queue/brake/brake.ts';
import type { SiteOutlook } from '../queue/outlook.ts';
import type { Suppression } from '../queue/suppressions.ts';
import type { Suspension } from '../queue/suspensions.ts';
import type { Ban } from '../reception/abuse/bans.ts';
import type { AbuseCounts } from '../reception/abuse/defence.ts';
import type { GreylistEntry } from '../reception/greylist/greylist.ts';
import type { Acquaintance, SenderEntry } from '../reception/history/history.ts';
import type { DmarcSummary, SummaryRequest } from '../reporting/inbox/dmarc-summary.ts';
import type { AccountSettings, Alias } from '../store/account-store.ts';
import type { Scope } from '../store/app-passwords.ts';
import type { QueueCounts, QueueFilter, QueuePage } from '../store/queue-store.ts';
import type { ReportKind, StoredReport } from '../store/report-store.ts';
import type { TlsStatus } from './certificate-operations.ts';
import type { HandInRequest, HandInResult } from './hand-in.ts';

export interface NewAccount {
  /** `user@domain` of a configured domain. */
  address: string;
  /** Either the password, in clear, or its argon2id hash in PHC string form. */
  password?: string;
  hash?: string;
}

export interface AccountSummary {
  address: string;
  /** Milliseconds since the epoch. */
  createdAt: number;
  settings?: AccountSettings;
  /** It can log in by SCRAM. */
  hasScramKeys: boolean;
}

/** What is absent stays as it is; null: as the domain or the server has it. */
export interface SettingsChange {
  address: string;
  /** Whether mail can be sent to it. */
  receive?: boolean;
  /** Whether its user can submit mail. */
  send?: boolean;
  quotaBytes?: number | null;
  /** Name of the policy that judges what comes in for it. */
  policy?: string | null;
  /** Before what it sends is held; 0: as many as it likes. */
  hourlyRecipients?: number | null;
  /** Its own password is not for mail programs. */
  appPasswordsOnly?: boolean;
  /** Addresses that its mail goes on to, and whether a copy stays. */
  forward?: { to: string[]; keep: boolean } | null;
}

/** What may be shown of an app password. */
export interface AppPasswordSummary {
  name: string;
  scope: Scope;
  createdAt: number;
  /** To the hour; absent: never. */
  usedAt?: number;
}

export interface ImportResult {
  added: number;
  /** These existed already and were left as they are. */
  existing: string[];
}

export interface TraceRequest {
  /** A queue id, a Message-ID with or without its angle brackets, or the address of a sender or recipient. */
  subject: string;
  /** Dossiers at most, newest first. */
  limit: number;
}

export interface JudgedRequest {
  /** `next` of the page before. */
  before?: number;
  /** Entries of the log looked at, at most. */
  limit: number;
}

/** Those of the log's events that say what was known of mail from outside, and what was made of it. */
export interface JudgedPage {
  events: DossierEvent[];
  /** When the oldest of the entries that were looked at was written, ms since the epoch; absent: there are none. */
  reachedBack?: number;
  next?: number;
}

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

export interface ReportsRequest {
  kind: ReportKind;
  domain?: string;
  /** Reports on what was before are left out: ms since the epoch. */
  since: number;
  /** `next` of the page before. */
  after?: number;
  limit: number;
}

export interface SendRequest {
  /** `user@domain`; '' is the null sender. */
  from: string;
  recipients: string[];
  /** A complete message, CRLF line ends. */
  content: Buffer;
}

export interface SendResult {
  queueId: string;
  /** Recipients that the server did not take, and why; the others are in the queue. */
  refused: { recipient: string; reply: string }[];
}

/** Patterns that go on a mailbox's block or allow list, or off it. */
export interface SenderListChange {
  address: string;
  list: 'block' | 'allow';
  add?: string[];
  remove?: string[];
}

/** The lists of one mailbox, as they are now. */
export interface SenderListsResult {
  block: readonly string[];
  allow: readonly string[];
  /** What was to be removed, and was not there. */
  missing: readonly string[];
}

/** Every method rejects with an AdminError where it cannot do what was asked. */
export interface Admin {
  addAccount(request: NewAccount): Promise<void>;
  /**
   * None where one of them cannot be an account. They are stored in steps: if the store fails in between, those of the
   * steps before stay, and the same request once more adds the others.
   */
  importAccounts(request: { accounts: NewAccount[] }): Promise<ImportResult>;
  listAccounts(): Promise<AccountSummary[]>;
  setPassword(request: { address: string; password: string }): Promise<void>;
  /** Resolves to what is set now. */
  changeSettings(request: SettingsChange): Promise<AccountSettings>;
  /** Nobody logs in from now on, and sessions end; with `refusesMail`, nobody can send to it either. */
  suspendAccount(request: { address: string; refusesMail?: boolean }): Promise<void>;
  /** Resolves to whether it was suspended. */
  resumeAccount(request: { address: string }): Promise<{ resumed: boolean }>;
  /**
   * As though it were not there, until it is erased with its mail, its dossiers and all that is remembered of it: with `now`,
   * before this resolves. Senders are told that it takes no mail, or, with `isUnknown`, that there is no such user.
   */
  removeAccount(request: {
    address: string;
    now?: boolean;
    isUnknown?: boolean;
  }): Promise<{ eraseAt: number }>;
  /** As it was before it was removed. */
  restoreAccount(request: { address: string }): Promise<void>;
  /** Those that are not erased yet. */
  listRemovedAccounts(): Promise<AccountSummary[]>;
  /** Resolves to the password, which nobody can be told again. */
  addAppPassword(request: { address: string; name: string; scope: Scope }): Promise<{ password: string }>;
  listAppPasswords(request: { address: string }): Promise<AppPasswordSummary[]>;
  /** It opens nothing any more, and what it has opened ends. Resolves to whether there was one. */
  removeAppPassword(request: { address: string; name: string }): Promise<{ removed: boolean }>;
  changeSenderList(request: SenderListChange): Promise<SenderListsResult>;
  setAlias(request: Alias): Promise<void>;
  removeAlias(request: { address: string }): Promise<void>;
  listAliases(): Promise<Alias[]>;
  /** Events of the matching messages, newest message first, each message's in order of time. */
  trace(request: TraceRequest): Promise<DossierEvent[]>;
  /** What was judged of mail from outside, the newest first. */
  listJudged(request: JudgedRequest): Promise<JudgedPage>;
  listQueue(request: QueueRequest): Promise<QueueListing>;
  /** What stands in line counts as waiting: an order finds it. */
  countQueue(request: QueueCountRequest): Promise<QueueCounts>;
  /** Of some of the recipients, the first ones, where there are very many. */
  outlook(request: { queueId: string }): Promise<OutlookResult>;
  /** What was learned of the receivers of mail. */
  listReceivers(): Promise<KnownReceiver[]>;
  /** Deliveries of the last day to hosts whose names end so; `atLeast`: they were not counted to the end. */
  countDelivered(request: { hosts: string[] }): Promise<{ count: number; atLeast: boolean }>;
  /** Forgets what was learned of one site, or of all; resolves to how many pairs of site and address that were. */
  resetReceivers(request: { site?: string }): Promise<{ count: number }>;
  /**
   * Changes matching jobs, a bounded number at a time (order-steps.ts goes on to the end). What is under way is left alone:
   * it is being tried, and cannot be taken back.
   */
  orderQueue(request: QueueOrderRequest): Promise<QueueOrderResult>;
  /** Nothing of that scope is tried from now on; replaces a suspension of the same. Resolves to it. */
  suspend(request: Omit<Suspension, 'at'>): Promise<Suspension>;
  /** Resolves to whether it was suspended. */
  resume(request: Pick<Suspension, 'scope' | 'name' | 'by'>): Promise<{ resumed: boolean }>;
  listSuspensions(): Promise<Suspension[]>;
  /** Addresses elsewhere that nobody has, in their order. */
  listSuppressions(request: SuppressionsRequest): Promise<{ suppressions: Suppression[]; next?: string }>;
  /** Resolves to what is known of an address, be it refused or not. */
  findSuppression(request: { address: string }): Promise<{ suppression?: Suppression }>;
  /** Our users' mail to that address is refused until then. */
  addSuppression(request: { address: string; until: number } & Ordered): Promise<Suppression>;
  /** Forgets all about an address; resolves to whether anything was known. */
  removeSuppression(request: { address: string; by: string }): Promise<{ removed: boolean }>;
  /** Accounts whose mail is held, since they sent more than is usual of them. */
  listBraked(): Promise<Braked[]>;
  /** Sends what is held of an account, or takes it out, and holds no more. Resolves to how many recipients that were. */
  releaseAccount(request: {
    address: string;
    by: string;
    drop?: boolean;
  }): Promise<{ count: number; braked?: Braked }>;
  /** In force, those that end last at the end; counts only with a running server. */
  /** Who has been asked to come again, who is let in, a page at a time. */
  listGreylist(request: {
    after?: number;
    limit: number;
  }): Promise<{ entries: GreylistEntry[]; next?: number }>;
  /** A network or a domain is not asked to come again. Resolves to its name, as it is listed. */
  allowGreylist(request: { name: string } & Ordered): Promise<{ name: string }>;
  /** Forgets all about a network or a domain; resolves to how many entries that were. */
  removeGreylist(request: { name: string }): Promise<{ count: number }>;
  /** What is known of networks and domains that mail has come from, the ones used last first, a page at a time. */
  listSenders(request: { after?: number; limit: number }): Promise<{ senders: SenderEntry[]; next?: number }>;
  /** Of one network, domain or address: its counts, and who knows it. */
  findSender(request: { name: string }): Promise<{ senders: SenderEntry[]; acquaintances: Acquaintance[] }>;
  /** Forgets all about it; resolves to how many entries that were. */
  forgetSender(request: { name: string }): Promise<{ count: number }>;
  listBans(): Promise<{ bans: Ban[]; counts?: AbuseCounts }>;
  /** `network` is an address or a block in CIDR notation; without `until` it is banned until that is lifted. */
  addBan(request: { network: string; until?: number } & Ordered): Promise<Ban>;
  /** Forgets too what led to it. Where none was lifted, `within` is a ban that it lies in. */
  liftBan(request: { network: string; by: string }): Promise<{ lifted: boolean; within?: string }>;
  /** Which certificates are shown, and how it stands with those that come from an authority. */
  tlsStatus(): Promise<TlsStatus>;
  /** Asks the authority now; `name`: for the certificate that is for it. `force`: also where nothing is due. */
  renewCertificates(request: { name?: string; force: boolean }): Promise<TlsStatus>;
  /** Has a new key made for the next certificate; `isUrgent`: it waits for nothing. */
  rolloverKey(request: { name?: string; isUrgent: boolean }): Promise<TlsStatus>;
  /** What others reported of us, in the order in which it came. */
  listReports(request: ReportsRequest): Promise<{ reports: StoredReport[]; next?: number }>;
  /** All DMARC reports since then, added up. */
  dmarcSummary(request: SummaryRequest): Promise<DmarcSummary>;
  /** Resolves when the message is in the queue. Only with a running server. */
  send(request: SendRequest): Promise<SendResult>;
  /** As a user of this machine. Resolves when it is in the queue, or refused. Only with a running server. */
  handIn(request: HandInRequest): Promise<HandInResult>;
  /**
   * Whether mail for an address would arrive, without sending any. Only with a running server, which bounds it. `fresh`: what
   * it remembers does not do.
   */
  checkAddress(request: { address: string; fresh?: boolean }): Promise<AddressCheck>;
  /** Looks at the addresses that we send from, now, and remembers what is found. Only with a running server. */
  lookAtSources(): Promise<SourceReport[]>;
  /**
   * Leaves as they are, until the lease runs out, the database file and the spool files that it names; `at` is a moment
   * before that, by the server's clock. Only with a running server.
   */
  beginSnapshot(): Promise<{ id: string; at: number; leaseMs: number }>;
  renewSnapshot(request: { id: string }): Promise<void>;
  /** Resolves to whether nothing has changed meanwhile. */
  endSnapshot(request: { id: string }): Promise<{ held: boolean }>;
  /** Puts the configuration in force as it is now. Only with a running server. */
  reload(): Promise<{ file: string; changed: readonly string[] }>;
  /** Which process has the data. Only with a running server. */
  whoRuns(): Promise<{ pid: number; isHandingOver: boolean }>;
  /**
   * Begins to hand over to another process, whose configuration is good by the time this resolves. Only with a running
   * server; who runs shows whether it came about.
   */
  handOver(): Promise<{ pid: number }>;
  /** Lets go of the connection or the store. */
  close(): Promise<void>;
}

/** What a face can ask for. */
export type Operation = Exclude<keyof Admin, 'close'>;

export const adminErrorCodes = [
  /** The request itself makes no sense: a bad address, an empty password. */
  'bad-request',
  'not-our-domain',
  /** Whether anything goes to that site is not known: DNS has no route for what is in the queue. */
  'no-route',
  'no-such-account',
  'no-such-alias',
  'exists',
  /** The configuration cannot be used; the message lists every problem. */
  'config',
  /** The server took the message for none of its recipients. */
  'refused',
  /** It was asked for too often; the message says when to come again. */
  'too-many',
  /** It was given up meanwhile. */
  'too-late',
  /** The role of who asks does not go so far. */
  'forbidden',
  /** Needs a running server, and there is none. */
  'no-server',
  /** Another process has the store and does not answer. */
  'in-use',
  /** The connection to the server broke in the middle. */
  'connection',
  /** The server's disk is full, or does not do what it should. */
  'disk',
  /** A bug of ours; the server's log knows more. */
  'internal',
] as const;

export type AdminErrorCode = (typeof adminErrorCodes)[number];

/** The message is for people and says what to do. */
export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly code: AdminErrorCode;

  constructor(code: AdminErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
