/** The half of the wiring that sends: queue, routes, connections, transports, local delivery, and who reports on them. */

import { sendsByMx } from '../config/transport.ts';
import { type DeliverParts, deliver } from '../delivery/deliver.ts';
import { Guard } from '../delivery/guard/guard.ts';
import { mailboxesAtOnce } from '../delivery/local.ts';
import { createConnections, createSourceChooser, createStub, routeOptions } from '../delivery/outbound.ts';
import { BrakeWatch } from '../delivery/reports/brake-watch.ts';
import { DelayWatch } from '../delivery/reports/delay-watch.ts';
import { sendQuotaNotice } from '../delivery/reports/quota-notice.ts';
import { limitsOfSite, startingAt } from '../delivery/route/site-limits.ts';
import { SiteTables } from '../delivery/route/site-tables.ts';
import { localSite, siteFinder } from '../delivery/route/sites.ts';
import type { OutboundTls } from '../delivery/tls/outbound-tls.ts';
import { logEvents } from '../dossier/log-events.ts';
import { type DeliveryGroup, Queue } from '../queue/queue.ts';
import { Quotas } from '../queue/quotas.ts';
import { ScheduleRecorder } from '../queue/recording.ts';
import { retryPolicy } from '../queue/retry.ts';
import type { ReturnPaths } from '../queue/return-paths.ts';
import type { ScheduleLimits } from '../queue/schedule.ts';
import { takeUpSuspensions } from '../queue/suspensions.ts';
import { openCappedFile } from '../store/capped-file.ts';
import { createDeliveryAgent } from '../store/delivery-agent.ts';
import { maildirPath } from '../store/maildir.ts';
import { maildirUsage } from '../store/maildir-usage.ts';
import { turnstile } from '../util/turnstile.ts';
import { type BeforeDoors, type Core, reportPartsOf } from './core.ts';

/** Jobs in memory at once. */
const maxHeldJobs = 5000;

export function openQuotas(
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

export async function startGuard(
  { config, clock, log, store }: Core,
  parts: AsyncDisposableStack,
): Promise<Guard> {
  const guard = new Guard({ config, resolver: await createStub(config, clock), clock, log, store });
  parts.defer(() => guard.stop());
  if (config.guard.enabled && sendsByMx(config.transports)) await guard.start();
  return guard;
}

export async function startQueue(
  core: BeforeDoors & {
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
