/** The parts that sending needs, made from the configuration: the same for the server and for `send --direct`. */

import { readFile } from 'node:fs/promises';
import type { Config } from '../config/config.ts';
import { cachedResolver } from '../dns/cache.ts';
import type { Resolver } from '../dns/resolver.ts';
import { ownListeners } from '../net/addresses.ts';
import { socketDialler } from '../net/conversation.ts';
import { stubResolver, systemServers } from '../net/dns-stub.ts';
import { type Https, httpsClient } from '../net/https.ts';
import type { Clock } from '../util/clock.ts';
import { ConnectionPool } from './pool.ts';
import type { RouteOptions } from './route.ts';
import { noStandings, type SourceChooser, type Standings, sourceChooser } from './sources.ts';

/** Asks the configured servers, or the system's; remembers their answers. */
export async function createResolver({ resolver }: Config, clock: Clock): Promise<Resolver> {
  const servers = resolver.length > 0 ? [...resolver] : await systemServers();
  return cachedResolver(stubResolver({ servers, clock }), clock);
}

/** Rejects with the system's error where `caFile` cannot be read. */
export async function createPool(
  { hostname, sources, delivery }: Config,
  clock: Clock,
): Promise<ConnectionPool> {
  const authorities = await authoritiesOf(delivery);
  const ehloNames = new Map(sources.map(({ address, ehloName }) => [address, ehloName ?? hostname]));
  return new ConnectionPool({
    dial: socketDialler({ clock, authorities }),
    clock,
    ehloName: hostname,
    ehloNames,
  });
}

/** From which of our addresses; `standings` is what the guard thinks of them. */
export function createSourceChooser({ sources }: Config, standings: Standings = noStandings): SourceChooser {
  return sourceChooser({ sources, standings, random: Math.random });
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
  return { ...delivery, fallback, hostname, isOurs: ownListeners(listeners), random: Math.random, clock };
}
