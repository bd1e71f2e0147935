/**
 * A small internet in one process: several complete Posthorn servers on loopback with a DNS and a certificate authority
 * of their own. Everything is real but the authority's standing: sockets, TLS, DNS look-ups, files, `posthorn.toml`.
 *
 *     await using world = await startWorld({
 *       servers: {
 *         'example.com': { accounts: { 'sender@example.com': 'secret' } },
 *         'example.net': { accounts: { 'recipient@example.net': 'secret' } },
 *       },
 *     });
 *     const { 'example.com': com, 'example.net': net } = world.servers;
 *     const { queueId = '' } = await com.submit({ from: 'sender@example.com', to: 'recipient@example.net' });
 *     const [outcome] = await com.settled(queueId);              // { recipient, state: 'delivered', … }
 *     const [letter] = await net.inbox('recipient@example.net'); // waits for it; fetched by POP3 over TLS
 *     const { data } = await net.event('recipient@example.net', 'checked');
 *     world.dns.change({ 'example.net': { MX: [[0, '']] } });    // from now on a null MX
 *     await net.stop();                                          // … and start() again
 *
 * `receive()` brings mail from outside to a server. For a scripted peer as the outside to send to, point the DNS at it
 * and `delivery.port` too, which is one port for all MX hosts:
 *
 *     'example.com': { accounts, settings: { delivery: { port: peer.endpoint.port } } }
 *     dns: { 'example.org': { MX: [[10, 'mx.example.org']] }, 'mx.example.org': { A: ['127.0.0.1'] } }
 *
 * Since it is one port, two servers are on the same loopback addresses, IPv4 and IPv6, and differ in their ports; more of
 * them get an IPv4 address each (127.0.0.11 and on; Linux only) and share the port. What they send comes from 127.0.0.1
 * or ::1 in any case, and their SPF records say so.
 */

import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ZoneData } from '../dns/zone-data.ts';
import type { Clock } from '../util/clock.ts';
import { type TestAuthority, testAuthority } from './certificates.ts';
import { freePort } from './free-ports.ts';
import { domainRecords, hostRecords, serveDns, type WorldDns } from './world-dns.ts';
import { findPlaces } from './world-places.ts';
import type { WorldServer } from './world-server.ts';
import { type Prepared, prepareServer, type ServerSetup } from './world-setup.ts';

export interface WorldOptions<Domain extends string> {
  /** By domain; the host is called `mx.` and the domain. */
  servers: Readonly<Record<Domain, ServerSetup>>;
  /** Records besides those of the servers, or in place of all that they have at these names. */
  dns?: ZoneData;
  /** Seconds that servers remember an answer. Default: not at all, so that changes count at once. */
  dnsTtl?: number;
  /** Port of the DNS to take if it is free. */
  dnsPort?: number;
  /** The servers' clock. Default: the system's. */
  clock?: Clock;
}

export interface World<Domain extends string> extends AsyncDisposable {
  readonly servers: Readonly<Record<Domain, WorldServer>>;
  readonly dns: WorldDns;
  readonly authority: TestAuthority;
  /** Holds `ca.pem`, and for each server a directory called like its domain; gone with the world. */
  readonly directory: string;
}

/** Resolves when all servers listen and have their accounts. */
export async function startWorld<Domain extends string>(
  options: WorldOptions<Domain>,
): Promise<World<Domain>> {
  await using parts = new AsyncDisposableStack();
  const directory = await makeDirectory(parts);
  const authority = testAuthority();
  await writeFile(join(directory, 'ca.pem'), authority.cert);
  const dns = await serveDns(options.dnsTtl ?? 0, await freePort(['127.0.0.1'], options.dnsPort));
  parts.defer(() => dns.close());

  const prepared = await prepareServers(options, { directory, authority, dns, clock: options.clock });
  dns.change({ ...recordsOf([...prepared.values()]), ...options.dns });
  parts.defer(async () => {
    await Promise.all([...prepared.values()].map(({ server }) => server.stop()));
  });
  await startAll([...prepared.values()]);

  const entries = [...prepared].map(([domain, { server }]) => [domain, server] as const);
  // Made from the keys of options.servers, one by one.
  const servers = Object.fromEntries(entries) as Record<Domain, WorldServer>;
  const running = parts.move();
  return { servers, dns, authority, directory, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function makeDirectory(parts: AsyncDisposableStack): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'posthorn-')));
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** By domain, in order. */
async function prepareServers(
  { servers }: WorldOptions<string>,
  world: Pick<Parameters<typeof prepareServer>[0], 'directory' | 'authority' | 'dns' | 'clock'>,
): Promise<Map<string, Prepared>> {
  const places = await findPlaces(Object.values(servers).map(({ ports = {} }) => ports));
  const entries = Object.entries(servers).map(async ([domain, setup], index) => {
    const place = places[index];
    if (place === undefined) throw new Error(`No place for ${domain}`);
    // Of two, each sends to the port of the other; where there are more, all have the same.
    const peerPort = (places[index === 0 ? 1 : 0] ?? place).ports.smtp;
    return [domain, await prepareServer({ domain, setup, place, peerPort, ...world })] as const;
  });
  return new Map(await Promise.all(entries));
}

function recordsOf(prepared: readonly Prepared[]): ZoneData {
  const hosts = hostRecords(prepared.map(({ host }) => host));
  return Object.assign(hosts, ...prepared.flatMap(({ domains }) => domains.map(domainRecords)));
}

/** When one cannot start, the others have finished starting before that is told, and so can be stopped. */
async function startAll(prepared: readonly Prepared[]): Promise<void> {
  const results = await Promise.allSettled(prepared.map(startWithAccounts));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

async function startWithAccounts({ server, accounts }: Prepared): Promise<void> {
  await server.start();
  for (const [address, password] of Object.entries(accounts)) await server.addAccount(address, password);
}
