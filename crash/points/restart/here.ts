/**
 * A restart in this thread: store, queue and delivery of src/, wired as server.ts does it, with the stranger at the other
 * end. A hundred times cheaper than a process; process.ts does the real thing for some.
 */

import { once } from 'node:events';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Config } from '../../../src/config/config.ts';
import { ConnectionPool } from '../../../src/delivery/connections/pool.ts';
import { type DeliverParts, deliver } from '../../../src/delivery/deliver.ts';
import { mailboxesAtOnce } from '../../../src/delivery/local.ts';
import { routeOptions } from '../../../src/delivery/outbound.ts';
import { limitsOfSite } from '../../../src/delivery/route/site-limits.ts';
import { localSite, siteFinder } from '../../../src/delivery/route/sites.ts';
import { createTransports } from '../../../src/delivery/transports/transports.ts';
import type { Resolver } from '../../../src/dns/resolver.ts';
import { runProgram } from '../../../src/net/program.ts';
import { Directory } from '../../../src/queue/directory.ts';
import { Queue } from '../../../src/queue/queue.ts';
import { createDirectAgent } from '../../../src/store/delivery-agent.ts';
import type { Store } from '../../../src/store/store.ts';
import { type FakeClock, fakeClock } from '../../../src/testing/fake-clock.ts';
import type { Clock } from '../../../src/util/clock.ts';
import { createLog } from '../../../src/util/log.ts';
import { queueIds } from '../../../src/util/queue-id.ts';
import { turnstile } from '../../../src/util/turnstile.ts';
import { newStranger, type StrangerState } from '../script/stranger.ts';
import { dialStranger } from './conversation.ts';
import { type Findings, nothingFound } from './findings.ts';
import { namesIn, readMailboxes } from './mailboxes.ts';
import { openStoreHere } from './store-here.ts';

const log = createLog('silent');

/** The clock is turned on by steps, so that deferred jobs become due; what has not ended after a day has hung. */
const stepMs = 10 * 60_000;
const longestMs = 24 * 3600_000;
/** Nor must any step take as long as this, in real time. */
const patienceMs = 20_000;

/** Resolves whatever happens: that a server does not start is a finding too. */
export async function restartHere(config: Config, dataDir: string): Promise<Findings> {
  const stranger = newStranger(false);
  const clock = fakeClock(Date.now());
  const drainFirst = (store: Store) => drain({ store, stranger, clock, config: { ...config, dataDir } });
  try {
    return { ...(await examineStore(dataDir, clock, drainFirst)), sent: stranger.taken };
  } catch (error) {
    return { ...nothingFound, failure: String(error) };
  }
}

/** What there is, after `action` has done its part on the store. Rejects as openStore() does. */
export async function examineStore(
  dataDir: string,
  at: Clock,
  action: (store: Store) => Promise<void> = async () => undefined,
): Promise<Omit<Findings, 'sent'>> {
  const { store, check } = await openStoreHere(dataDir, at);
  try {
    await action(store);
    const found = {
      check: check(),
      accounts: (await store.listAccounts()).map(({ address }) => address),
      unfinished: (await store.listJobs({ limit: 1000 })).jobs.map(({ recipient }) => recipient),
      mail: readMailboxes(dataDir),
      dossiers: Map.groupBy(await store.trace({ limit: 10_000 }), ({ queueId }) => queueId),
    };
    await store.close();
    await openOnceMore(dataDir, at);
    return { ...found, spool: namesIn(join(dataDir, 'spool')) }; // the last ones go when the store is closed
  } finally {
    await store.close();
  }
}

/** What a recovery leaves behind must be fit for the next start. */
async function openOnceMore(dataDir: string, at: Clock): Promise<void> {
  const { store } = await openStoreHere(dataDir, at).catch((error: unknown) => {
    throw new Error(`at the next start but one: ${String(error)}`, { cause: error });
  });
  await store.close();
}

interface DrainParts {
  store: Store;
  stranger: StrangerState;
  clock: FakeClock;
  config: Config;
}

/** Runs the queue until it is empty, or a day has passed. */
async function drain(parts: DrainParts): Promise<void> {
  const { store, clock } = parts;
  const isEmpty = async () => (await store.listJobs({ limit: 1 })).jobs.length === 0;
  if (await isEmpty()) return;
  const { queue, close, underWay } = queueOver(parts);
  queue.start();
  await quiet(underWay);
  for (let passed = 0; passed < longestMs && !(await isEmpty()); passed += stepMs) {
    clock.advance(stepMs);
    await quiet(underWay);
  }
  await queue.stop();
  await close();
}

/** Resolves when nothing is being delivered, nor will be before the clock moves on. */
async function quiet(underWay: ReadonlySet<Promise<unknown>>): Promise<void> {
  const hung = AbortSignal.timeout(patienceMs);
  do {
    await Promise.race([Promise.allSettled(underWay), once(hung, 'abort')]);
    if (hung.aborted) throw new Error('a delivery does not come to its end');
    for (let turn = 0; turn < 3; turn++) await setImmediate();
  } while (underWay.size > 0);
}

function queueOver({ store, stranger, clock, config }: DrainParts) {
  const { hostname, dataDir, delivery, domains } = config;
  const poolParts = { dial: dialStranger(stranger), clock, ehloName: hostname };
  const pool = new ConnectionPool(poolParts);
  // The relay host is one of them.
  const transports = createTransports(config.transports, {
    createPool: (opening) => new ConnectionPool({ ...poolParts, opening }),
    run: runProgram,
    clock,
  });
  const route = routeOptions(config, clock);
  const directory = new Directory({ store, domains });
  const nextQueueId = queueIds(clock.now, Math.random);
  const underWay = new Set<Promise<unknown>>();
  const queue: Queue = new Queue({
    store,
    clock,
    log,
    limits: {
      concurrency: delivery.concurrency,
      perSite: (site) => limitsOfSite(site, delivery),
      apart: (site) => site === localSite,
      maxHeld: 1000,
    },
    onEvents: () => undefined,
    siteOf: siteFinder(noDns, route, { transports }),
    isSplit: (destination) => transports.isSplit(destination),
    deliver: (group, signal, untried) => {
      const delivered = deliver(parts, group, signal, untried);
      underWay.add(delivered);
      return delivered.finally(() => underWay.delete(delivered));
    },
  });
  const parts: DeliverParts = {
    queue,
    log,
    resolver: noDns,
    route,
    send: { pool },
    transports,
    local: { dataDir, hostname, agent: createDirectAgent(), turns: turnstile(mailboxesAtOnce) },
    report: { hostname, directory, signers: new Map(), nextQueueId, clock },
  };
  return { queue, close: () => Promise.all([pool.close(), transports.close()]), underWay };
}

/** The relay host is an address: nobody is asked. */
const noDns: Resolver = {
  resolve: async () => ({ status: 'failed', detail: 'there is no DNS here' }),
};
