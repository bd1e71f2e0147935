/** The first third of the wiring: what outlives a reload. It looks at the configuration in force each time. */

import { randomBytes } from 'node:crypto';
import { RemovalWatch } from '../admin/removal-watch.ts';
import { mailboxesAtOnce } from '../delivery/local.ts';
import { Receivers } from '../delivery/receivers/receivers.ts';
import { BrakeWatch } from '../delivery/reports/brake-watch.ts';
import { DelayWatch } from '../delivery/reports/delay-watch.ts';
import { sendQuotaNotice } from '../delivery/reports/quota-notice.ts';
import { keepingDossiers, pruneRegularly } from '../dossier/retention.ts';
import { Brake, brakePolicy } from '../queue/brake/brake.ts';
import { Directory } from '../queue/directory.ts';
import type { Queue } from '../queue/queue.ts';
import { Quotas } from '../queue/quotas.ts';
import { retryPolicy } from '../queue/retry.ts';
import { ReturnPaths } from '../queue/return-paths.ts';
import { Suppressions, suppressionPolicy } from '../queue/suppressions.ts';
import { openDefence } from '../reception/abuse/defence.ts';
import { Greylist } from '../reception/greylist/greylist.ts';
import { SenderHistory } from '../reception/history/history.ts';
import { Repeats } from '../reception/repeats.ts';
import { SignedIn } from '../reception/signed-in.ts';
import { reportTallies } from '../reporting/open-reports.ts';
import { createDeliveryAgent } from '../store/delivery-agent.ts';
import { maildirPath } from '../store/maildir.ts';
import { maildirUsage } from '../store/maildir-usage.ts';
import { openStore } from '../store/sqlite/open.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import { queueIds } from '../util/queue-id.ts';
import { turnstile } from '../util/turnstile.ts';
import type { Lasting } from './core.ts';
import { type HealthWatch, watchHealth } from './health.ts';
import type { InForce } from './in-force.ts';
import { createQueue } from './queue.ts';
import { openTelemetry, watchState } from './telemetry.ts';

export interface LastingParts {
  inForce: InForce;
  log: Log;
  clock: Clock;
}

/** Rejects with StoreOpenError. The queue has not begun: it needs what is in force. */
export async function openLasting(
  { inForce, log, clock }: LastingParts,
  parts: AsyncDisposableStack,
): Promise<Lasting & { watch: HealthWatch }> {
  const opened = await openStore({ dataDir: inForce.config.dataDir, clock, log });
  parts.defer(() => opened.close());
  const { counting, isTraced, over } = await openTelemetry(inForce, { clock, log });
  const store = over(keepingDossiers(opened, () => inForce.config.dossier.enabled));
  parts.defer(pruneRegularly(store, () => inForce.config.dossier, clock, log));
  const core = { store, clock, log, nextQueueId: queueIds(clock.now, Math.random) };

  const isLocal = (domain: string) => directory.isLocal(domain);
  const returnPaths = await ReturnPaths.read({ store, clock, isLocal });
  const directory = new Directory({ store, domains: inForce.config.domains, returnPaths });
  const suppressions = await Suppressions.read({
    ...core,
    get policy() {
      return suppressionPolicy(inForce.config.suppression);
    },
  });
  const receivers = new Receivers(core);
  await receivers.load();
  parts.defer(() => receivers.stop());
  const brake = await Brake.read({
    ...core,
    get policy() {
      return brakePolicy(inForce.config.abuse);
    },
  });
  parts.defer(() => brake.stop());
  const defence = await openDefence({ ...core, settings: inForce });
  parts.defer(() => defence.bans.stop());
  const greylist = await Greylist.read({
    ...core,
    get config() {
      return inForce.config.greylisting;
    },
  });
  parts.defer(() => greylist.flush());
  const history = await SenderHistory.read(core);
  parts.defer(() => history.flush());
  const certificateEnds = () => inForce.edition.certificates?.certificateFor(undefined).validToDate.getTime();
  const watch = watchHealth({ broken: opened.broken, certificateEnds, clock });
  const certificates = () => inForce.edition.certificates;
  await watchState(counting, { ...core, defence, brake, certificates, health: watch.health });
  const agent = createDeliveryAgent();
  parts.defer(() => agent.close());
  const queue = await createQueue({ ...core, inForce, suppressions, receivers }, parts);
  return {
    ...core,
    ...{ directory, returnPaths, suppressions, receivers, brake, defence, greylist, history, agent, queue },
    quotas: await openQuotas(inForce, { ...core, queue }),
    tallies: reportTallies(core),
    repeats: new Repeats(clock),
    turns: { mailboxes: turnstile(mailboxesAtOnce), accounts: turnstile(1) },
    openMailboxes: new Set(),
    ticketKeys: randomBytes(48),
    signedIn: new SignedIn(),
    webGate: defence.gateFor(({ web }) => ({
      sessions: web.connections,
      sessionsPerAddress: web.connectionsPerAddress,
    })),
    ...{ watch, health: watch.health, counting, isTraced },
  };
}

function openQuotas(
  inForce: InForce,
  { queue, ...core }: Pick<Lasting, 'store' | 'clock' | 'log' | 'nextQueueId'> & { queue: Queue },
): Promise<Quotas> {
  const { dataDir } = inForce.config;
  return Quotas.read({
    ...core,
    measure: (account) => maildirUsage(maildirPath(dataDir, account)),
    warn: (mailbox) => sendQuotaNotice({ ...core, hostname: inForce.config.hostname, queue }, mailbox),
  });
}

/** Those who look regularly whether somebody is to be told. To be stopped before the queue is. */
export function startWatches(
  { store, queue, clock, log, brake, directory, greylist, history, turns }: Lasting,
  inForce: InForce,
  parts: AsyncDisposableStack,
): void {
  const common = {
    ...{ store, queue, clock, log, brake },
    get report() {
      return inForce.edition.report;
    },
    get retry() {
      return retryPolicy(inForce.config.delivery);
    },
  };
  const delays = new DelayWatch(common);
  parts.defer(() => delays.stop());
  delays.start();
  const braked = new BrakeWatch(common);
  parts.defer(() => braked.stop());
  brake.onBraked = () => braked.lookNow();
  braked.start();
  const removals = new RemovalWatch({
    ...{ store, clock, log, turns: turns.accounts, dataDir: inForce.config.dataDir },
    senders: async () => history,
    greylist: async () => greylist,
    changed(account) {
      directory.forget();
      brake.forget(account);
    },
  });
  parts.defer(() => removals.stop());
  removals.start();
}
