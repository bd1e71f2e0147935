/** The scene of most scenarios about sending: one server of ours, under a fake clock, and a receiver of somebody else. */

import type { TomlTable } from 'smol-toml';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { ZoneData } from '../dns/zone-data.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import { freePort } from './free-ports.ts';
import { type Answers, type Receiver, startReceiver } from './receiver.ts';
import { startWorld, type World } from './world.ts';
import type { WorldServer } from './world-server.ts';
import type { Settings } from './world-setup.ts';

export interface SceneSetup {
  /** The receiver's address of loopback: one that no other file has, since they run side by side. */
  strangers: string;
  /** Default: `example.com`. */
  domain?: string;
  /** The password of each is `secret`. */
  accounts: readonly string[];
  /** Domains besides the one that names it. */
  domains?: readonly string[];
  settings?: Settings & { delivery?: TomlTable };
  /** What leads to the receiver. Default: `mailTo(strangers, 'example.net')`. */
  dns?: ZoneData;
  /** Seconds. */
  dnsTtl?: number;
  answers?: Answers;
  /** Each test has a receiver of its own, which knows nothing of those before. */
  receiverPerTest?: true;
}

export interface Scene {
  readonly world: World<string>;
  readonly server: WorldServer;
  readonly clock: FakeClock;
  readonly receiver: Receiver;
  /** The receiver is gone from its port while that work is done, and another is there afterwards. */
  withoutReceiver(work: () => Promise<void>): Promise<void>;
}

/** For all tests of a file. The clock begins at the time of the system, by which commands go. */
export function serverAndReceiver(setup: SceneSetup): Scene {
  const { strangers, domain = 'example.com', answers, receiverPerTest = false } = setup;
  let world: World<string>;
  let clock: FakeClock;
  let receiver: Receiver;
  let port: number;
  const begin = async () => {
    receiver = await startReceiver({ address: strangers, port, ...(answers && { answers }) });
  };
  const end = () => receiver[Symbol.asyncDispose]();
  beforeAll(async () => {
    clock = fakeClock(Date.now());
    port = await freePort([strangers]);
    world = await startScene(setup, { domain, port, clock });
    if (!receiverPerTest) await begin();
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    if (!receiverPerTest) await end();
  });
  if (receiverPerTest) {
    beforeEach(begin);
    afterEach(end);
  }
  return {
    get world() {
      return world;
    },
    get server() {
      const server = world.servers[domain];
      if (server === undefined) throw new Error(`no server for ${domain}`);
      return server;
    },
    get clock() {
      return clock;
    },
    get receiver() {
      return receiver;
    },
    async withoutReceiver(work) {
      await end();
      try {
        await work();
      } finally {
        await begin();
      }
    },
  };
}

function startScene(
  { strangers, accounts, domains = [], settings = {}, dns, dnsTtl }: SceneSetup,
  { domain, port, clock }: { domain: string; port: number; clock: FakeClock },
): Promise<World<string>> {
  const server = {
    accounts: Object.fromEntries(accounts.map((address) => [address, 'secret'])),
    domains,
    settings: { ...settings, delivery: { ...settings.delivery, port } },
  };
  return startWorld({
    servers: { [domain]: server },
    dns: dns ?? mailTo(strangers, 'example.net'),
    ...(dnsTtl !== undefined && { dnsTtl }),
    clock,
  });
}

/** Mail for these domains goes to that address; each has a site of its own. */
export const mailTo = (address: string, ...domains: string[]): ZoneData =>
  Object.fromEntries(
    domains.flatMap((name) => [
      [name, { MX: [[10, `mx.${name}`]] }],
      [`mx.${name}`, { A: [address] }],
    ]),
  );
