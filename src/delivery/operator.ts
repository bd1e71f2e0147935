/** What operators need of the sending half: whose site a destination is, and the end of a job by their word. */

import type { DkimSigner } from '../authentication/dkim-sign.ts';
import type { Config } from '../config/config.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { Directory } from '../queue/directory.ts';
import { retryPolicy } from '../queue/retry.ts';
import type { ClaimedMessage, Settlement } from '../store/queue-store.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import { queueIds } from '../util/queue-id.ts';
import { createResolver, loadSigners, routeOptions } from './outbound.ts';
import { type BounceParts, bounce } from './reports/bounce.ts';

import { SiteTables } from './route/site-tables.ts';
import { siteFinder } from './route/sites.ts';
import { transportNames } from './transports/transports.ts';

export interface OperatorParts {
  /** Of mail from that sender, where it goes by a transport of their own; else of anybody's. */
  siteOf(destination: string, reversePath?: string): Promise<string>;
  bounce(claimed: ClaimedMessage, order: { by: string; reason?: string }): Promise<void>;
}

export interface OperatorSetup {
  config: Config;
  clock: Clock;
  resolver: Resolver;
  directory: Directory;
  signers: ReadonlyMap<string, DkimSigner>;
  nextQueueId(): string;
  settle: BounceParts['settle'];
}

export function operatorParts(setup: OperatorSetup): OperatorParts {
  const { config, clock, resolver, directory, signers, nextQueueId, settle } = setup;
  const siteOf = siteFinder(resolver, routeOptions(config, clock), {
    tables: new SiteTables(config.sites),
    transports: transportNames(config.transports),
  });
  const { hostname, delivery } = config;
  const { lifetimeMs } = retryPolicy(delivery);
  const report = { hostname, directory, signers, nextQueueId, clock, lifetimeMs };
  return {
    siteOf: async (destination, reversePath = '') => {
      const kind = destination === '' ? 'local' : 'remote';
      return siteOf({ kind, destination }, new AbortController().signal, { reversePath });
    },
    bounce: (claimed, order) => bounce({ settle, report }, claimed, order),
  };
}

/** Where no server runs. DNS servers and keys are not looked for before they are needed. */
export function offlineOperatorParts(
  config: Config,
  { store, clock, directory }: { store: Store; clock: Clock; directory: Directory },
): OperatorParts {
  const nextQueueId = queueIds(clock.now, Math.random);
  const settle = (settlement: Parameters<BounceParts['settle']>[0]) => store.settle(unclaimed(settlement));
  const make = async () => {
    const resolver = await createResolver(config, clock);
    const signers = await loadSigners(config, clock);
    return operatorParts({ config, clock, resolver, directory, signers, nextQueueId, settle });
  };
  let made: Promise<OperatorParts> | undefined;
  const parts = () => (made ??= make());
  return {
    siteOf: async (destination, reversePath) => (await parts()).siteOf(destination, reversePath),
    bounce: async (claimed, order) => (await parts()).bounce(claimed, order),
  };
}

const unclaimed = (settlement: Parameters<BounceParts['settle']>[0]): Settlement => ({
  ...settlement,
  reports: settlement.reports.map((report) => ({ ...report, claimed: false })),
});
