/** The wiring of what sends: routes, connections, transports, local delivery, and who is told. Made anew by a reload. */

import { sendsByMx } from '../config/transport.ts';
import { type DeliverParts, deliver } from '../delivery/deliver.ts';
import { Guard } from '../delivery/guard/guard.ts';
import { createConnections, createSourceChooser, createStub, routeOptions } from '../delivery/outbound.ts';
import { limitsOfSite, startingAt } from '../delivery/route/site-limits.ts';
import { SiteTables } from '../delivery/route/site-tables.ts';
import { siteFinder } from '../delivery/route/sites.ts';
import type { OutboundTls } from '../delivery/tls/outbound-tls.ts';
import type { QueueParts } from '../queue/queue.ts';
import { retryPolicy } from '../queue/retry.ts';
import type { ScheduleLimits } from '../queue/schedule.ts';
import { UnderWay } from '../util/under-way.ts';
import { type Core, reportPartsOf } from './core.ts';

export async function startGuard(
  { config, clock, log, store, counting }: Pick<Core, 'config' | 'clock' | 'log' | 'store' | 'counting'>,
  parts: AsyncDisposableStack,
): Promise<Guard> {
  const resolver = await createStub(config, clock, { onLookUp: counting.onLookUp });
  const guard = new Guard({ config, resolver, clock, log, store });
  parts.defer(() => guard.stop());
  if (config.guard.enabled && sendsByMx(config.transports)) await guard.start();
  return guard;
}

/** What the queue asks of those who send. */
export interface Sending {
  siteOf: QueueParts['siteOf'];
  isSplit(destination: string): boolean;
  deliver: QueueParts['deliver'];
  limitsOf: ScheduleLimits['perSite'];
}

/** Its connections are closed when the last delivery that began with it has ended. */
export async function openSending(
  core: Core & { tls: OutboundTls },
  parts: AsyncDisposableStack,
): Promise<Sending> {
  const { config, clock, receivers, resolver, counting } = core;
  const { pool, transports, close } = await createConnections(config, clock, (error) =>
    counting.handshakeFailed('out', error),
  );
  parts.defer(close);
  const underWay = new UnderWay();
  parts.defer(() => underWay.over());
  const route = routeOptions(config, clock);
  const tables = new SiteTables(config.sites);
  const made = deliverPartsOf(core, { pool, transports, route, tables });
  return {
    siteOf: siteFinder(resolver, route, { tables, transports }),
    isSplit: (destination) => transports.isSplit(destination),
    deliver: (group, signal, untried) => underWay.during(deliver(made, group, signal, untried)),
    limitsOf: (site) =>
      startingAt(limitsOfSite(site, config.delivery, tables.named(site)), receivers.connectionsOf(site)),
  };
}

type Ways = Pick<DeliverParts, 'transports' | 'route'> &
  Pick<DeliverParts['send'], 'pool'> & { tables: SiteTables };

function deliverPartsOf(
  core: Core & { tls: OutboundTls },
  { pool, transports, route, tables }: Ways,
): DeliverParts {
  const { config, clock, log, queue, directory, quotas, agent, brake, tls, resolver, receivers } = core;
  const { hostname, dataDir, delivery } = config;
  return {
    ...{ queue, log, resolver, route, receivers },
    ...(transports && { transports }),
    tls: tls.policies,
    send: {
      signers: core.signers,
      clock,
      pool,
      tables,
      sources: createSourceChooser(config, core.guard),
      tls: tls.send,
      permanentFailures: delivery.permanentFailures,
    },
    local: { dataDir, hostname, agent, quotas, turns: core.turns.mailboxes },
    report: reportPartsOf(core),
    retry: retryPolicy(delivery),
    forwarding: { returnPaths: core.returnPaths, isLocal: (domain) => directory.isLocal(domain) },
    noteOutcomes: (submitter, events) => brake.note(submitter, events),
  };
}
