/**
 * The wiring diagram: makes every part of a mail server by hand, starts them, and stops them in reverse. Decides nothing.
 */

import { addressChecks, ownAddresses } from './admin/address-checks.ts';
import { AdminError } from './admin/admin.ts';
import { startControlServer } from './admin/control-server.ts';
import { localAdmin } from './admin/local-admin.ts';
import { controlPath } from './admin/open-admin.ts';
import type { DkimSigner } from './authentication/dkim-sign.ts';
import type { Config } from './config/config.ts';
import { sendsByMx } from './config/transport.ts';
import { AddressChecker } from './delivery/check/address-checker.ts';
import { type DeliverParts, deliver } from './delivery/deliver.ts';
import { expansionReporter } from './delivery/expansion.ts';
import { Guard } from './delivery/guard/guard.ts';
import { mailboxesAtOnce } from './delivery/local.ts';
import { operatorParts } from './delivery/operator.ts';
import {
  createCheckParts,
  createConnections,
  createHttps,
  createResolver,
  createSourceChooser,
  createStub,
  loadSigners,
  routeOptions,
} from './delivery/outbound.ts';
import { Receivers } from './delivery/receivers/receivers.ts';
import { BrakeWatch } from './delivery/reports/brake-watch.ts';
import { DelayWatch } from './delivery/reports/delay-watch.ts';
import { sendQuotaNotice } from './delivery/reports/quota-notice.ts';
import type { ReportParts } from './delivery/reports/report.ts';
import { limitsOfSite, startingAt } from './delivery/route/site-limits.ts';
import { SiteTables } from './delivery/route/site-tables.ts';
import { localSite, siteFinder } from './delivery/route/sites.ts';
import { createTls, type OutboundTls } from './delivery/tls/outbound-tls.ts';
import type { Resolver } from './dns/resolver.ts';
import { logEvents } from './dossier/log-events.ts';
import { pruneRegularly, withoutDossiers } from './dossier/retention.ts';
import { type Listening, startListeners } from './listeners.ts';
import { loadTlsContext } from './net/tls-context.ts';
import { Brake, brakePolicy } from './queue/brake/brake.ts';
import { Complaints } from './queue/complaints.ts';
import { Directory } from './queue/directory.ts';
import type { Matches } from './queue/matches.ts';
import { type DeliveryGroup, Queue } from './queue/queue.ts';
import { Quotas } from './queue/quotas.ts';
import { ScheduleRecorder } from './queue/recording.ts';
import { retryPolicy } from './queue/retry.ts';
import { ReturnPaths } from './queue/return-paths.ts';
import type { ScheduleLimits } from './queue/schedule.ts';
import { Suppressions, suppressionPolicy } from './queue/suppressions.ts';
import { type Suspension, takeUpSuspensions } from './queue/suspensions.ts';
import { type Defence, openDefence } from './reception/abuse/defence.ts';
import { HandInError, handIn } from './reception/control.ts';
import type { Filters } from './reception/filters/filters.ts';
import type { Greylist } from './reception/greylist/greylist.ts';
import type { SenderHistory } from './reception/history/history.ts';
import { inboundDoor } from './reception/inbound.ts';
import { lmtpDoor } from './reception/lmtp.ts';
import { openJudging } from './reception/open-judging.ts';
import { openLogins } from './reception/open-logins.ts';
import { Repeats } from './reception/repeats.ts';
import { submissionDoor } from './reception/submission.ts';
import { openReportInbox } from './reporting/inbox/open-inbox.ts';
import type { OfferedMail, ReportInbox } from './reporting/inbox/report-inbox.ts';
import { openDmarcReports, openTlsReports } from './reporting/open-reports.ts';
import { openCappedFile } from './store/capped-file.ts';
import { createDeliveryAgent } from './store/delivery-agent.ts';
import { maildirPath } from './store/maildir.ts';
import { maildirUsage } from './store/maildir-usage.ts';
import { openStore } from './store/sqlite/open.ts';
import type { JobRow, Store } from './store/store.ts';
import { type Clock, systemClock } from './util/clock.ts';
import type { Log } from './util/log.ts';
import { queueIds } from './util/queue-id.ts';
import { turnstile } from './util/turnstile.ts';

export interface ServerOptions {
  config: Config;
  log: Log;
  clock?: Clock;
}

export interface RunningServer {
  /** What listens where; a port of 0 in the configuration shows as the one that was given. */
  listeners: readonly Listening[];
  /** Stops taking connections, ends the sessions, lets deliveries end, closes the store: each in a time of its own. */
  stop(): Promise<void>;
  /** Resolves when the store can promise nothing any more; the server must be stopped then. */
  failed: Promise<Error>;
}

/**
 * Resolves when every listener listens. Rejects with the first thing that cannot be had, everything before it undone:
 * StoreOpenError, the system's error of a port (with `address` and `port`), or an Error that names a file.
 */
export async function startServer({
  config,
  log,
  clock = systemClock,
}: ServerOptions): Promise<RunningServer> {
  await using parts = new AsyncDisposableStack();
  const secureContext = config.tls && (await loadTlsContext(config.tls));
  const signers = await loadSigners(config, clock);
  const opened = await openStore({ dataDir: config.dataDir, clock, log });
  parts.defer(() => opened.close());
  const store = config.dossier.enabled ? opened : withoutDossiers(opened);
  const core = { config, log, clock, store, signers, nextQueueId: queueIds(clock.now, Math.random) };

  const isLocal = (domain: string) => config.domains.some(({ name }) => name === domain);
  const returnPaths = await ReturnPaths.read({ store, clock, isLocal });
  const directory = new Directory({ store, domains: config.domains, returnPaths });
  await warnOfMissingPostmasters(directory, log);
  const quotas = await openQuotas(core, (entry) => queue.accept(entry));
  const resolver = await createResolver(config, clock, log);
  const policy = suppressionPolicy(config.suppression);
  const suppressions = await Suppressions.read({ ...core, policy });
  const https = await createHttps(config, resolver, clock);
  // They count until the last delivery has ended, and only then are stopped.
  const accept: Queue['accept'] = (entry) => queue.accept(entry);
  const reporting = {
    ...core,
    directory,
    resolver,
    https,
    queue: { accept },
    offer: (mail: OfferedMail) => reports?.offer(mail),
  };
  const tlsReports = await openTlsReports(reporting);
  parts.defer(() => tlsReports?.stop());
  const dmarcReports = await openDmarcReports(reporting);
  parts.defer(() => dmarcReports?.stop());
  const receivers = new Receivers({ store, clock, log });
  await receivers.load();
  parts.defer(() => receivers.stop());
  const guard = await startGuard(core, parts);
  const tls = createTls(config, { ...core, resolver, https, onTlsResult: tlsReports?.onResult });
  parts.defer(() => tls.sts.close());
  await tls.sts.start();
  const brake = await Brake.read({ ...core, policy: brakePolicy(config.abuse) });
  parts.defer(() => brake.stop());
  const queue: Queue = await startQueue(
    { ...core, directory, returnPaths, quotas, resolver, suppressions, receivers, guard, tls, brake },
    parts,
  );
  const defence = await openDefence(core);
  parts.defer(() => defence.bans.stop());
  const { judging, ...learned } = await openJudging({ ...core, resolver });
  parts.defer(() => learned.stop());
  const complaints = await Complaints.read({ ...core, enabled: config.reports.abuse });
  const { greylist, history } = learned;
  const reception = {
    ...core,
    directory,
    resolver,
    suppressions,
    receivers,
    guard,
    queue,
    defence,
    brake,
    greylist,
    complaints,
    history,
  };
  parts.defer(pruneRegularly(store, config.dossier, clock, log));
  await startControl({ ...reception, tls }, parts);
  const reports = startReportInbox(reception, parts);
  const doorParts = {
    ...doorPartsOf(reception),
    filters: await createFilters(reception),
    reports,
    dmarcReports,
  };
  const listeners = await startListeners(
    {
      ...reception,
      logins: await openLogins({ ...core, ...defence, https, settings: config.login, oauth: config.oauth }),
      ...defence,
      quotas,
      secureContext,
      doors: {
        smtp: inboundDoor({ ...doorParts, judging }),
        submission: submissionDoor(doorParts),
        lmtp: lmtpDoor(doorParts),
      },
    },
    parts,
  );
  queue.start();

  const running = parts.move();
  return { listeners, failed: store.broken, stop: () => running.disposeAsync() };
}

/** Loaded only where there are any. */
async function createFilters({ config, ...core }: Reception): Promise<Filters | undefined> {
  const { filters, hostname } = config;
  if (filters.length === 0) return undefined;
  const [{ Filters }, { probeAll }, { filterDialler }, { filterPoster }] = await Promise.all([
    import('./reception/filters/filters.ts'),
    import('./reception/filters/probe.ts'),
    import('./net/byte-stream.ts'),
    import('./net/http-post.ts'),
  ]);
  const { clock, log } = core;
  const parts = { ...core, filters, hostname, open: filterDialler(clock), post: filterPoster(clock) };
  // Told at the start, not when the first message comes; and nothing waits for it.
  void probeAll(parts, log).catch((error) => log.error({ err: error }, 'the filters could not be looked at'));
  return new Filters(parts);
}

/** What most parts are made of. */
interface Core {
  config: Config;
  log: Log;
  clock: Clock;
  store: Store;
  signers: ReadonlyMap<string, DkimSigner>;
  nextQueueId(): string;
}

interface Reception extends Core {
  directory: Directory;
  resolver: Resolver;
  receivers: Receivers;
  guard: Guard;
  suppressions: Suppressions;
  queue: Queue;
  defence: Defence;
  brake: Brake;
  greylist: Greylist;
  complaints: Complaints;
  history: SenderHistory;
}

/** Mail to postmaster@ and abuse@ must reach a person (RFC 5321 §4.5.1, RFC 2142), and so must our own notices. */
async function warnOfMissingPostmasters(directory: Directory, log: Log): Promise<void> {
  for (const domain of await directory.domainsWithoutPostmaster())
    log.warn(
      { domain },
      'nobody is postmaster of this domain; add that account, or name another in the configuration',
    );
}

function startReportInbox(reception: Reception, parts: AsyncDisposableStack): ReportInbox | undefined {
  const inbox = openReportInbox(reception);
  parts.defer(() => inbox?.stop());
  inbox?.start();
  return inbox;
}

/** Jobs in memory at once. */
const maxHeldJobs = 5000;

function openQuotas(
  { config, store, clock, log, nextQueueId }: Core,
  accept: Queue['accept'],
): Promise<Quotas> {
  const { hostname, dataDir } = config;
  const notices = { hostname, queue: { accept }, nextQueueId, clock };
  return Quotas.read({
    measure: (account) => maildirUsage(maildirPath(dataDir, account)),
    warn: (mailbox) => sendQuotaNotice(notices, mailbox),
    ...{ store, clock, log },
  });
}

async function startGuard({ config, clock, log, store }: Core, parts: AsyncDisposableStack): Promise<Guard> {
  const guard = new Guard({ config, resolver: await createStub(config, clock), clock, log, store });
  parts.defer(() => guard.stop());
  if (config.guard.enabled && sendsByMx(config.transports)) await guard.start();
  return guard;
}

async function startQueue(
  core: Omit<Reception, 'queue' | 'defence' | 'greylist' | 'complaints' | 'history'> & {
    tls: OutboundTls;
    returnPaths: ReturnPaths;
    quotas: Quotas;
  },
  parts: AsyncDisposableStack,
): Promise<Queue> {
  const { config, log, clock, store, returnPaths, quotas, resolver } = core;
  const { suppressions, receivers, guard, tls, brake } = core;
  const { hostname, dataDir, delivery } = config;
  const { pool, transports, close } = await createConnections(config, clock);
  parts.defer(close);
  const agent = createDeliveryAgent();
  parts.defer(() => agent.close());
  const route = routeOptions(config, clock);
  const tables = new SiteTables(config.sites);
  const limits: ScheduleLimits = {
    concurrency: delivery.concurrency,
    perSite: (site) =>
      startingAt(limitsOfSite(site, delivery, tables.named(site)), receivers.connectionsOf(site)),
    apart: (site) => site === localSite,
    maxHeld: maxHeldJobs,
  };
  const recorder = startRecorder(limits, core, parts);
  const retry = retryPolicy(delivery);
  const queue: Queue = new Queue({
    store,
    clock,
    log,
    limits: recorder?.limits ?? limits,
    recorder,
    onEvents(events) {
      logEvents(log, events);
      suppressions.note(events);
    },
    siteOf: siteFinder(resolver, route, { tables, transports }),
    isSplit: (destination) => transports.isSplit(destination),
    suspensions: await takeUpSuspensions(store, clock.now()),
    deliver: (group, signal, untried) => deliver(deliverParts, group, signal, untried),
  });
  const deliverParts: DeliverParts = {
    queue,
    log,
    resolver,
    route,
    transports,
    tls: tls.policies,
    send: {
      signers: core.signers,
      clock,
      pool,
      tables,
      sources: createSourceChooser(config, guard),
      tls: tls.send,
      permanentFailures: delivery.permanentFailures,
    },
    local: { dataDir, hostname, agent, quotas, turns: turnstile(mailboxesAtOnce) },
    report: reportPartsOf(core),
    retry,
    receivers,
    forwarding: { returnPaths, isLocal: (domain) => core.directory.isLocal(domain) },
    noteOutcomes: (submitter, events) => brake.note(submitter, events),
  };
  parts.defer(() => queue.stop());
  const delays = new DelayWatch({ store, queue, report: deliverParts.report, retry, clock, log });
  parts.defer(() => delays.stop());
  delays.start();
  const braked = new BrakeWatch({ brake, store, queue, report: deliverParts.report, clock, log });
  parts.defer(() => braked.stop());
  brake.onBraked = () => braked.lookNow();
  braked.start();
  return queue;
}

/** A schedule's steps, in octets of their file: some two hours of a busy server. */
const maxTraceBytes = 64 * 2 ** 20;

function startRecorder(
  limits: ScheduleLimits,
  { config, log }: Pick<Core, 'config' | 'log'>,
  parts: AsyncDisposableStack,
): ScheduleRecorder<DeliveryGroup> | undefined {
  const { scheduleTrace } = config.delivery;
  if (scheduleTrace === undefined) return undefined;
  const onError = (error: Error) => log.error({ err: error }, 'the trace of the schedule ends here');
  const file = openCappedFile(scheduleTrace, { maxBytes: maxTraceBytes, onError });
  parts.defer(() => file.close());
  return new ScheduleRecorder(limits, (line) => file.write(line));
}

async function startControl(
  reception: Reception & { tls: OutboundTls },
  parts: AsyncDisposableStack,
): Promise<void> {
  const {
    config,
    log,
    clock,
    store,
    directory,
    suppressions,
    queue,
    resolver,
    receivers,
    guard,
    defence,
    brake,
    greylist,
    history,
  } = reception;
  const submission = doorPartsOf(reception);
  const checkParts = await createCheckParts(config, {
    resolver,
    clock,
    findOwn: ownAddresses(directory),
    tls: reception.tls.policies,
    sources: createSourceChooser(config, guard),
  });
  const checker = new AddressChecker(checkParts);
  const running = {
    accountsChanged: (removed: string | undefined) => brake.forget(removed),
    abuseCounts: defence.abuseCounts,
    forgiven: defence.forgiven,
    submit: (from: string, recipients: string[], content: Buffer) =>
      handIn(submission, { from, recipients, content }).catch((error) => {
        throw error instanceof HandInError
          ? new AdminError('refused', error.message, { cause: error })
          : error;
      }),
    checkAddress: addressChecks(checker, suppressions),
    outlookOf: (job: JobRow, sentBy: { reversePath: string }) => queue.outlookOf(job, sentBy),
    concurrency: config.delivery.concurrency,
    receiversForgotten: (site: string | undefined) => receivers.forget(site),
    lookAtSources: () => guard.look(),
    look: (all: boolean) => (all ? queue.wake() : queue.look()),
    withhold: (matches: Matches, recall: boolean) => queue.withhold(matches, recall),
    inLine: () => queue.inLine(),
    suspend: (suspensions: readonly Suspension[]) => queue.suspend(suspensions),
  };
  const admin = localAdmin({
    ...operatorParts({ ...reception, settle: (settlement) => queue.settle(settlement) }),
    store,
    domains: config.domains,
    directory,
    suppressions: async () => suppressions,
    bans: async () => defence.bans,
    brake: async () => brake,
    greylist: async () => greylist,
    senders: async () => history,
    clock,
    dossierMs: config.dossier.days * dayMs,
    running,
  });
  const maxContentBytes = config.limits.messageBytes;
  const control = await startControlServer({ path: controlPath(config), admin, maxContentBytes, log, clock });
  parts.defer(() => control.stop());
  parts.defer(() => checker.stop());
}

const dayMs = 24 * 3600_000;

/** Messages up to this many octets are kept in the database, larger ones in a spool file. */
const inlineBytes = 64 * 1024;

function reportPartsOf({
  config,
  ...core
}: Omit<Reception, 'queue' | 'defence' | 'greylist' | 'complaints' | 'history'>): ReportParts {
  const { directory, signers, nextQueueId, clock } = core;
  const { lifetimeMs } = retryPolicy(config.delivery);
  return { hostname: config.hostname, directory, signers, nextQueueId, clock, lifetimeMs };
}

function doorPartsOf(reception: Reception) {
  const { config, ...core } = reception;
  const { hostname, limits, delivery, arc } = config;
  return {
    ...core,
    reportExpansion: expansionReporter({ ...core, report: reportPartsOf(reception) }),
    lifetimeMs: retryPolicy(delivery).lifetimeMs,
    hostname,
    headerBytes: limits.headerBytes,
    inlineBytes,
    arc,
    wroteTo: (account: string, recipients: readonly string[]) => core.history.wroteTo(account, recipients),
    lostAnswers: { repeats: new Repeats(core.clock), store: core.store },
    spool: core.store.spool,
  };
}
