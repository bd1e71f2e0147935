/** A receiving site of several hosts, each a scripted peer, as the sending side finds it: by a route and a pool. */

import { afterEach } from 'vitest';
import { ConnectionPool } from '../delivery/connections/pool.ts';
import type { Route } from '../delivery/route/route.ts';
import { socketDialler } from '../net/conversation.ts';
import { ConversationError, type Dial } from '../smtp/conversation.ts';
import { systemClock } from '../util/clock.ts';
import type { Certificate } from './certificates.ts';
import { type ScriptedPeer, scriptedPeer } from './scripted-peer.ts';

export interface SiteSetup {
  /** By host, the scripts of its connections; one that `refuses` cannot be connected to. */
  hosts: readonly (readonly string[] | 'refuses')[];
  certificate?: Certificate | undefined;
  /** Whom the sending side believes, PEM. */
  authorities?: readonly string[];
  /** Under which address a host stands in the route. Default: 192.0.2.0 and so on; 2001:db8::0 is the same host. */
  addressOf?(index: number): string;
}

export interface ScriptedSite {
  pool: ConnectionPool;
  route: Route;
  /** Of the hosts that do not refuse. */
  peers: ScriptedPeer[];
}

/** For all tests of a file: what one has opened is closed at its end. */
export function scriptedSites(): (setup: SiteSetup) => Promise<ScriptedSite> {
  const sites: ScriptedSite[] = [];
  afterEach(async () => {
    const opened = sites.splice(0);
    await Promise.all(opened.map(({ pool }) => pool.close()));
    await Promise.all(opened.flatMap(({ peers }) => peers.map((peer) => peer[Symbol.asyncDispose]())));
  });
  return async (setup) => {
    const site = await openSite(setup);
    sites.push(site);
    return site;
  };
}

async function openSite({
  hosts,
  certificate,
  authorities = [],
  addressOf = (index) => `192.0.2.${index}`,
}: SiteSetup): Promise<ScriptedSite> {
  const ports = new Map<string, number>();
  const peers: ScriptedPeer[] = [];
  for (const [index, scripts] of hosts.entries()) {
    if (scripts === 'refuses') continue;
    const peer = await scriptedPeer(scripts, certificate === undefined ? {} : { certificate });
    ports.set(hostAt(addressOf(index)), peer.endpoint.port);
    peers.push(peer);
  }
  const connect = socketDialler({ clock: systemClock, authorities });
  const dial: Dial = (endpoint, limits) => {
    const port = ports.get(hostAt(endpoint.address));
    if (port === undefined) throw new ConversationError('connect', 'connection refused');
    return connect({ ...endpoint, address: '127.0.0.1', port }, limits);
  };
  const pool = new ConnectionPool({ dial, clock: systemClock, ehloName: 'mx.example.com' });
  return { pool, route: routeTo(hosts.map((_, index) => addressOf(index))), peers };
}

const hostAt = (address: string): string => address.replace('2001:db8::', '192.0.2.');

const routeTo = (addresses: readonly string[]): Route => ({
  kind: 'route',
  domain: 'example.net',
  answers: [],
  durationMs: 0,
  hosts: addresses.map((address, index) => ({
    host: `mx${index}.example.net`,
    preference: index,
    addresses: [{ address, family: address.includes(':') ? 6 : 4 }],
  })),
  port: 25,
});
