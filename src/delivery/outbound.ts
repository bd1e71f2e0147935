/** The parts that sending needs, made from the configuration: the same for the server and for `send --direct`. */

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSigner, type DkimSigner, joinSigners } from '../authentication/dkim-sign.ts';
import type { Config } from '../config/config.ts';
import type { DomainConfig } from '../config/receiving.ts';
import { cachedResolver } from '../dns/cache.ts';
import type { Resolver } from '../dns/resolver.ts';
import { type OnLookUp, watchedResolver } from '../dns/watched-resolver.ts';
import { ownListeners } from '../net/addresses.ts';
import { type DiallerParts, socketDialler } from '../net/conversation.ts';
import { stubResolver, systemServers } from '../net/dns-stub.ts';
import { type Https, httpsClient } from '../net/https.ts';
import { runProgram } from '../net/program.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import { type CheckParts, calloutTimeouts } from './check/check-address.ts';
import { ConnectionPool, type PoolParts } from './connections/pool.ts';
import type { RouteOptions } from './route/route.ts';
import { noStandings, type SourceChooser, type Standings, sourceChooser } from './route/sources.ts';
import { transportFinder } from './transports/transport-choice.ts';
import { createTransports, type Transports } from './transports/transports.ts';

/** Asks the configured servers, or the system's; remembers their answers. */
export async function createResolver(config: Config, clock: Clock, told?: DnsTold): Promise<Resolver> {
  return cachedResolver(await createStub(config, clock, told), clock);
}

/** Who hears of it. */
export interface DnsTold {
  log?: Log;
  /** Of each question that name servers were asked. */
  onLookUp?: OnLookUp | undefined;
}

/** The same without a memory: for who has just been told to mend a record. */
export async function createStub(
  { resolver }: Pick<Config, 'resolver'>,
  clock: Clock,
  { log, onLookUp }: DnsTold = {},
): Promise<Resolver> {
  const servers = resolver.length > 0 ? [...resolver] : await systemServers();
  const onLocal = (isThere: boolean) => {
    if (isThere) log?.info('the DNS resolver on this machine runs again');
    else log?.warn('no DNS resolver runs on this machine: others are asked, and no receiver is held to DANE');
  };
  const stub = stubResolver({ servers, clock, onLocal });
  return onLookUp ? watchedResolver(stub, onLookUp) : stub;
}

/** What mail goes out by: connections for what goes by MX, and the transports with their own. */
export interface Connections {
  pool: ConnectionPool;
  transports: Transports;
  /** Says goodbye on all that are idle. */
  close(): Promise<void>;
}

/** Rejects with the system's error where `caFile` cannot be read. */
export async function createConnections(
  config: Config,
  clock: Clock,
  onTlsFailure?: DiallerParts['onTlsFailure'],
): Promise<Connections> {
  const parts = await poolParts(config, clock, onTlsFailure);
  const pool = new ConnectionPool(parts);
  const transports = createTransports(config.transports, {
    createPool: (opening) => new ConnectionPool({ ...parts, opening }),
    run: runProgram,
    clock,
  });
  return {
    pool,
    transports,
    close: async () => void (await Promise.all([pool.close(), transports.close()])),
  };
}

async function poolParts(
  { hostname, sources, delivery }: Config,
  clock: Clock,
  onTlsFailure?: DiallerParts['onTlsFailure'],
): Promise<PoolParts> {
  const dial = socketDialler({ clock, authorities: await authoritiesOf(delivery), onTlsFailure });
  const ehloNames = new Map(sources.map(({ address, ehloName }) => [address, ehloName ?? hostname]));
  return { dial, clock, ehloName: hostname, ehloNames };
}

/** What an address check needs besides what is given: like mail, it leaves from `sources` and as the policies want it. */
export async function createCheckParts(
  config: Config,
  given: Required<Pick<CheckParts, 'resolver' | 'clock' | 'findOwn' | 'tls' | 'sources'>>,
): Promise<CheckParts> {
  const { clock } = given;
  return {
    ...given,
    route: routeOptions(config, clock),
    findTransport: transportFinder(config.transports).find,
    pool: new ConnectionPool({ ...(await poolParts(config, clock)), timeouts: calloutTimeouts }),
    timeouts: calloutTimeouts,
    nobody: () => `no-such-user-${randomBytes(8).toString('hex')}`,
  };
}

/** From which of our addresses; `guarding` is what the guard thinks of them. One that is off only tells who asks. */
export function createSourceChooser(
  { sources, domains, guard }: Pick<Config, 'sources' | 'domains' | 'guard'>,
  guarding: Standings = noStandings,
): SourceChooser {
  const standings = guard.enabled ? guarding : noStandings;
  const ours = new Set(domains.map(({ name }) => name));
  return sourceChooser({ sources, isOurs: (domain) => ours.has(domain), standings, random: Math.random });
}

const authoritiesOf = async ({ caFile }: Config['delivery']): Promise<string[]> =>
  caFile === undefined ? [] : [await readFile(caFile, 'utf8')];

/** What gets policies and posts reports. Rejects with the system's error where `caFile` cannot be read. */
export async function createHttps({ delivery }: Config, resolver: Resolver, clock: Clock): Promise<Https> {
  const { allowPrivateAddresses } = delivery;
  return httpsClient({ resolver, clock, authorities: await authoritiesOf(delivery), allowPrivateAddresses });
}

/** What leads to ourselves is told by what we are configured to listen on. */
export function routeOptions({ hostname, listeners, delivery }: Config, clock: Clock): RouteOptions {
  const fallback = delivery.fallback ? delivery.fallbackPorts : undefined;
  return {
    ...delivery,
    fallback,
    hostname,
    isOurs: ownListeners(listeners.filter(({ socket }) => socket === undefined)),
    random: Math.random,
    clock,
  };
}

/** One for each domain that has a key, by its name in A-labels. */
export async function loadSigners({ domains }: Config, clock: Clock): Promise<Map<string, DkimSigner>> {
  const signers = new Map<string, DkimSigner>();
  for (const domain of domains) {
    const signer = await loadSigner(domain, clock);
    if (signer !== undefined) signers.set(domain.name, signer);
  }
  return signers;
}

/** With all its keys; undefined without any. */
export async function loadSigner(
  { name, dkim = [] }: DomainConfig,
  clock: Clock,
): Promise<DkimSigner | undefined> {
  const [first, ...others] = await Promise.all(
    dkim.map(async ({ selector, key }) =>
      createSigner({ domain: name, selector, privateKeyPem: await readFile(key, 'utf8'), clock }),
    ),
  );
  return first && joinSigners([first, ...others]);
}
