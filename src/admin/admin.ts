/**
 * What can be done to a mail server, whoever asks: a command with the server down, a command through the control socket of
 * a running one, a web page. Requests and answers are plain data that survive JSON, but for a message's content.
 */

import type { AddressCheck } from '../delivery/check/check-address.ts';
import type { SourceReport } from '../delivery/guard/guard.ts';
import type { KnownReceiver } from '../delivery/receivers/receiver-memo.ts';
import type { DossierEvent } from '../dossier/event.ts';
import type { Braked } from '../queue/brake/braked.ts';
import type { Suppression } from '../queue/suppressions.ts';
import type { Suspension } from '../queue/suspensions.ts';
import type { Ban } from '../reception/abuse/bans.ts';
import type { AbuseCounts } from '../reception/abuse/defence.ts';
import type { GreylistEntry } from '../reception/greylist/greylist.ts';
import type { Acquaintance, SenderEntry } from '../reception/history/history.ts';
import type { DmarcSummary, SummaryRequest } from '../reporting/inbox/dmarc-summary.ts';
import type { AccountSettings, Alias } from '../store/account-store.ts';
import type { Scope } from '../store/app-passwords.ts';
import type { QueueCounts } from '../store/queue-store.ts';
import type { StoredReport } from '../store/report-store.ts';
import type {
  AccountSummary,
  AppPasswordSummary,
  ImportResult,
  NewAccount,
  SenderListChange,
  SenderListsResult,
  SettingsChange,
} from './shapes/accounts.ts';
import type { TlsStatus } from './shapes/certificates.ts';
import type { JudgedPage, JudgedRequest, ReportsRequest, TraceRequest } from './shapes/past.ts';
import type {
  Ordered,
  OutlookResult,
  QueueCountRequest,
  QueueListing,
  QueueOrderRequest,
  QueueOrderResult,
  QueueRequest,
  SuppressionsRequest,
} from './shapes/queue.ts';
import type { HandInRequest, HandInResult, SendRequest, SendResult } from './shapes/server.ts';

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
  /** In force, those that end last at the end; counts only with a running server. */
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
  /** Has the authority revoke the certificate whose key an urgent rollover has replaced. */
  revokeCertificate(request: { name?: string }): Promise<TlsStatus>;
  /** What others reported of us, in the order in which it came. */
  listReports(request: ReportsRequest): Promise<{ reports: StoredReport[]; next?: number }>;
  /** All DMARC reports since then, added up. */
  dmarcSummary(request: SummaryRequest): Promise<DmarcSummary>;
  /** Resolves when the message is in the queue. Only with a running server. */
  send(request: SendRequest): Promise<SendResult>;
  /** As a user of this machine. Resolves when it is in the queue, or refused. Only with a running server. */
  handIn(request: HandInRequest): Promise<HandInResult>;
  /** Who handed a message in knows which recipients were refused: they are remembered no longer. Only with a running server. */
  heardRefusals(request: { queueId: string }): Promise<void>;
  /**
   * Whether mail for an address would arrive, without sending any. Only with a running server, which bounds it. `fresh`: what
   * it remembers does not do.
   */
  checkAddress(request: { address: string; fresh?: boolean }): Promise<AddressCheck>;
  /** Looks at the addresses that we send from, now, and remembers what is found. Only with a running server. */
  lookAtSources(): Promise<SourceReport[]>;
  /**
   * Leaves as they are, until the lease runs out or whoever asked has `gone`, the database file and the spool files that it
   * names; `at` is a moment before that, by the server's clock. Only with a running server.
   */
  beginSnapshot(gone?: AbortSignal): Promise<{ id: string; at: number; leaseMs: number }>;
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
