/** What the doctor is made of on the command line: the real DNS, the real sockets, and the running server, if there is one. */

import { randomBytes, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Config } from '../config/config.ts';
import { parseHostPort } from '../config/network.ts';
import { sendsByMx } from '../config/transport.ts';
import { createStub } from '../delivery/outbound.ts';
import type { DoctorParts } from '../doctor/examining.ts';
import { looksResolver } from '../doctor/looks-resolver.ts';
import { askTimes } from '../doctor/times.ts';
import { socketDialler } from '../net/conversation.ts';
import { directAsker } from '../net/dns-direct.ts';
import type { ServerAddress } from '../net/dns-exchange.ts';
import { systemServers } from '../net/dns-stub.ts';
import { httpsClient } from '../net/https.ts';
import { networkSet } from '../net/networks.ts';
import { askTime } from '../net/sntp.ts';
import { readFacts } from '../records/facts.ts';
import type { RecordFacts } from '../records/wanted-record.ts';
import type { Context } from './context.ts';
import { accountSection } from './doctor-accounts.ts';
import { filterSection } from './doctor-filters.ts';
import { listSection } from './doctor-lists.ts';
import { policySection } from './doctor-policies.ts';
import { askServer, serverSection } from './doctor-server.ts';
import { CommandError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';

export interface DoctorOptions {
  resolver?: string[];
  timeServer?: string[];
  reach?: string[];
  namePort?: number;
}

/** Big, of different owners, and used to strangers. */
const defaultReach = ['gmail.com', 'outlook.com', 'yahoo.com'];
const defaultTimeServers = ['time.cloudflare.com', 'pool.ntp.org'];
const timeoutMs = 3_000;

export async function doctorParts(
  config: Config,
  { clock }: Pick<Context, 'clock'>,
  options: DoctorOptions,
): Promise<DoctorParts> {
  const { resolver: own, delivery, relay, transports } = config;
  const configured = own.length > 0 ? [...own] : await systemServers();
  const resolvers = options.resolver?.map((text) => serverOf(text, 53)) ?? configured;
  const authorities = delivery.caFile === undefined ? [] : [await readFile(delivery.caFile, 'utf8')];
  const servers = (options.timeServer ?? defaultTimeServers).map((text) => placeOf(text, 123));
  const { allowPrivateAddresses } = delivery;
  const https: DoctorParts['https'] = (resolver) =>
    httpsClient({ resolver, clock, authorities, allowPrivateAddresses });
  const stub = await createStub(config, clock);
  const facts = await readFacts(config, { now: clock.now() });
  const chain = await chainOf(config, facts);
  const asked = askServer(config, clock);
  return {
    config,
    clock,
    facts,
    ask: directAsker({ clock }),
    resolvers,
    ports: { names: options.namePort ?? 53, mail: delivery.port, https: delivery.httpsPort },
    dial: socketDialler({ clock, authorities }),
    https,
    sources: async () => (await asked).sources,
    times: (looks, signal) =>
      askTimes({
        looks,
        askTime: (server, limit) => askTime(server, { clock, timeoutMs, signal: limit }),
        https: https(looksResolver(looks)),
        now: clock.now,
        servers,
        signal,
      }),
    chain,
    mayRelay: networkSet(relay.trustedNetworks),
    asksRelay: true,
    reach: sendsByMx(transports) ? (options.reach ?? defaultReach) : [],
    others: [
      asked.then(serverSection),
      asked.then(({ accounts }) => policySection(accounts, config)),
      asked.then(({ accounts }) => accountSection(accounts, config)),
      listSection(config, { resolver: stub, clock }),
      filterSection(config, clock),
    ],
    nobody: `posthorn-${randomBytes(6).toString('hex')}`,
  };
}

function placeOf(text: string, port: number): { host: string; port: number } {
  const place = parseHostPort(text, port);
  if (place !== undefined) return place;
  throw new CommandError(
    exitCodes.usage,
    `"${text}" is no server. Give a name or an address, such as pool.ntp.org or 192.0.2.1:123.`,
  );
}

function serverOf(text: string, port: number): ServerAddress {
  const { host, port: own } = placeOf(text, port);
  if (/^[\d.]+$|:/.test(host)) return { address: host, port: own };
  throw new CommandError(exitCodes.usage, `"${text}" is no address. Give one such as 9.9.9.9.`);
}

/** The certificates in the file that is configured, as they stand there; none where that cannot be used, which is a finding. */
async function chainOf({ tls }: Config, { unusable }: RecordFacts): Promise<X509Certificate[]> {
  if (tls?.cert === undefined || unusable.some(({ file }) => file === tls.cert)) return [];
  const pem = await readFile(tls.cert, 'utf8');
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}
