/** What a server of a world is started from: keys, certificate and `posthorn.toml`, as files in its own directory. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify, type TomlTable } from 'smol-toml';
import { generateDkimKey } from '../authentication/dkim-key.ts';
import type { Protocol } from '../config/listeners.ts';
import { loadConfig } from '../config/load.ts';
import type { Clock } from '../util/clock.ts';
import type { TestAuthority } from './certificates.ts';
import type { Domain, Host } from './world-dns.ts';
import { loopbackAddresses, type Place, protocols } from './world-places.ts';
import { WorldServer } from './world-server.ts';

/** Top-level keys and tables of `posthorn.toml`. */
export type Settings = TomlTable;

export interface ServerSetup {
  /** Address → password. */
  accounts?: Readonly<Record<string, string>>;
  /** Domains besides the one that names it. */
  domains?: readonly string[];
  /** What `posthorn.toml` is to say besides, or instead: tables are merged key by key. */
  settings?: Settings;
  /** Ports to take if they are free. */
  ports?: Partial<Record<Protocol, number>>;
  /** [[listener]] tables besides those of mail. */
  listeners?: readonly TomlTable[];
  /** Host names for its certificate besides its own. */
  hosts?: readonly string[];
}

export interface Plan {
  domain: string;
  setup: ServerSetup;
  place: Place;
  /** Port of the other servers' MX. */
  peerPort: number;
  /** The world's. */
  directory: string;
  authority: TestAuthority;
  dns: { address: string; port: number };
  clock: Clock | undefined;
}

/** A server that can be started, and what DNS must say of it. */
export interface Prepared {
  server: WorldServer;
  accounts: Readonly<Record<string, string>>;
  host: Host;
  domains: readonly Domain[];
}

/** Writes the server's files and reads its configuration; does not start it. */
export async function prepareServer(plan: Plan): Promise<Prepared> {
  const { domain, setup, place, authority, clock } = plan;
  const home = join(plan.directory, domain);
  const host: Host = { name: `mx.${domain}`, addresses: place.addresses };
  const domains = await Promise.all([domain, ...(setup.domains ?? [])].map((name) => planDomain(name, host)));
  const certificate = authority.issue([host.name, ...place.addresses, ...(setup.hosts ?? [])]);
  await mkdir(home);
  await Promise.all([
    writeFile(join(home, 'server.pem'), certificate.cert),
    writeFile(join(home, 'server.key'), certificate.key, { mode: 0o600 }),
    ...domains.map(({ name, dkim }) =>
      writeFile(join(home, keyFile(name)), dkim.privateKeyPem, { mode: 0o600 }),
    ),
  ]);
  const file = join(home, 'posthorn.toml');
  await writeFile(file, stringify(merged(settingsFor(plan, host, domains), setup.settings ?? {})));
  const config = await loadConfig(file);
  const logFile = join(home, 'posthorn.log');
  const server = new WorldServer({ config, logFile, authority: authority.cert, clock });
  return { server, accounts: setup.accounts ?? {}, host, domains };
}

const selector = 'posthorn';

const keyFile = (domain: string): string => `${domain}.dkim.pem`;

async function planDomain(name: string, mx: Host): Promise<Domain> {
  return { name, mx, dkim: { selector, privateKeyPem: await dkimKey(name) }, sendsFrom: loopbackAddresses() };
}

const keys = new Map<string, Promise<string>>();

/** One for each domain, made once per process: RSA keys take their time. */
function dkimKey(domain: string): Promise<string> {
  const key = keys.get(domain) ?? generateDkimKey('rsa');
  keys.set(domain, key);
  return key;
}

function settingsFor(
  { dns, place, peerPort, setup }: Plan,
  host: Host,
  domains: readonly Domain[],
): Settings {
  return {
    hostname: host.name,
    dataDir: 'data',
    resolver: [`${dns.address}:${dns.port}`],
    tls: { cert: 'server.pem', key: 'server.key' },
    // It would look at the machine's own addresses, of which this world's DNS knows nothing.
    guard: { enabled: false },
    delivery: { port: peerPort, allowPrivateAddresses: true, caFile: '../ca.pem' },
    domain: domains.map(({ name }) => ({ name, dkim: { selector, key: keyFile(name) } })),
    listener: [
      ...protocols.flatMap((protocol) =>
        place.addresses.map((address) => ({ protocol, address, port: place.ports[protocol] })),
      ),
      ...(setup.listeners ?? []),
    ],
  };
}

/** Tables are merged, everything else is replaced. */
function merged(base: Settings, changes: Settings): Settings {
  const result = { ...base };
  for (const [key, value] of Object.entries(changes)) {
    const old = result[key];
    result[key] = isTable(old) && isTable(value) ? merged(old, value) : value;
  }
  return result;
}

const isTable = (value: unknown): value is TomlTable =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
