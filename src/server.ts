/**
 * The wiring diagram: makes every part of a mail server by hand, starts them, and stops them in reverse. Decides nothing.
 */

import type { Config } from './config/config.ts';
import { createHttps, createResolver, loadSigners } from './delivery/outbound.ts';
import { Receivers } from './delivery/receivers/receivers.ts';
import { createTls } from './delivery/tls/outbound-tls.ts';
import { pruneRegularly, withoutDossiers } from './dossier/retention.ts';
import { Brake, brakePolicy } from './queue/brake/brake.ts';
import { Complaints } from './queue/complaints.ts';
import { Directory } from './queue/directory.ts';
import type { Queue } from './queue/queue.ts';
import { ReturnPaths } from './queue/return-paths.ts';
import { Suppressions, suppressionPolicy } from './queue/suppressions.ts';
import { openDefence } from './reception/abuse/defence.ts';
import { inboundDoor } from './reception/inbound.ts';
import { lmtpDoor } from './reception/lmtp.ts';
import { openJudging } from './reception/open-judging.ts';
import { openLogins } from './reception/open-logins.ts';
import { submissionDoor } from './reception/submission.ts';
import { openReportInbox } from './reporting/inbox/open-inbox.ts';
import type { OfferedMail, ReportInbox } from './reporting/inbox/report-inbox.ts';
import { openDmarcReports, openTlsReports } from './reporting/open-reports.ts';
import { openStore } from './store/sqlite/open.ts';
import { type Clock, systemClock } from './util/clock.ts';
import type { Health } from './util/health.ts';
import type { Log } from './util/log.ts';
import { queueIds } from './util/queue-id.ts';
import { openCertificates } from './wiring/certificates.ts';
import { startControl } from './wiring/control.ts';
import type { Reception } from './wiring/core.ts';
import { openQuotas, startGuard, startQueue } from './wiring/deliveries.ts';
import { createFilters, doorPartsOf } from './wiring/doors.ts';
import { watchHealth } from './wiring/health.ts';
import { type Listening, startListeners } from './wiring/listeners.ts';
import { openTelemetry, watchState } from './wiring/telemetry.ts';
import { startWeb } from './wiring/web.ts';

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
  health(): Health;
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
  const certificates = await openCertificates({ config, log, clock }, parts);
  const signers = await loadSigners(config, clock);
  const opened = await openStore({ dataDir: config.dataDir, clock, log });
  parts.defer(() => opened.close());
  const telemetry = await openTelemetry(config);
  const { metrics } = telemetry;
  const store = telemetry.over(config.dossier.enabled ? opened : withoutDossiers(opened));
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
  const mailListeners = await startListeners(
    {
      ...reception,
      logins: await openLogins({
        ...core,
        ...defence,
        https,
        settings: config.login,
        oauth: config.oauth,
        onLogin: metrics?.sessions.login,
      }),
      onSession: metrics?.sessions.began,
      ...defence,
      quotas,
      certificates,
      doors: {
        smtp: inboundDoor({ ...doorParts, judging }),
        submission: submissionDoor(doorParts),
        lmtp: lmtpDoor({ ...doorParts, judging }),
      },
    },
    parts,
  );
  const certificateEnds = () => certificates?.certificateFor(undefined).validToDate.getTime();
  const watch = watchHealth({ broken: store.broken, certificateEnds, clock });
  await watchState(metrics, { ...reception, certificates, health: watch.health });
  const web = { config, log, clock, defence, certificates, health: watch.health, metrics };
  const webListeners = await startWeb({ ...web, challengeResponse: () => undefined }, parts);
  queue.start();
  watch.started();

  const running = parts.move();
  return {
    listeners: [...mailListeners, ...webListeners],
    failed: store.broken,
    health: watch.health,
    stop() {
      watch.stopping();
      return running.disposeAsync();
    },
  };
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
