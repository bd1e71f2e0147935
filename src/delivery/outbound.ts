/** The parts that sending needs, made from the configuration: the same for the server and for `send --direct`. */

import { readFile } from 'node:fs/promises';
import type { Config } from '../config/config.ts';
import { cachedResolver } from '../dns/cache.ts';
import type { Resolver } from '../dns/resolver.ts';
import { ownListeners } from '../net/addresses.ts';
import { socketDialler } from '../net/conversation.ts';
import { stubResolver, systemServers } from '../net/dns-stub.ts';
import type { Clock } from '../util/clock.ts';
import { ConnectionPool } from './pool.ts';
import type { RouteOptions } from './route.ts';

/** Asks the configured servers, or the system's; remembers their answers. */
export async function createResolver({ resolver }: Config, clock: Clock): Promise<Resolver> {
  const servers = resolver.length > 0 ? [...resolver] : await systemServers();
  return cachedResolver(stubResolver({ servers, clock }), clock);
}

/** Rejects with the system's error where `caFile` cannot be read. */
export async function createPool({ hostname, delivery }: Config, clock: Clock): Promise<ConnectionPool> {
  const authorities = delivery.caFile === undefined ? [] : [await readFile(delivery.caFile, 'utf8')];
  return new ConnectionPool({ dial: socketDialler({ clock, authorities }), clock, ehloName: hostname });
}

/** What leads to ourselves is told by what we are configured to listen on. */
export function routeOptions({ hostname, listeners, delivery }: Config, clock: Clock): RouteOptions {
  const fallback = delivery.fallback ? delivery.fallbackPorts : undefined;
  return { ...delivery, fallback, hostname, isOurs: ownListeners(listeners), random: Math.random, clock };
}
