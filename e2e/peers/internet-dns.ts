/**
 * The names of an Internet of one's own: NSD has the zones, a root and all, at two addresses of one network; in each network an
 * unbound at 127.0.0.1 follows the delegations from the root, like anybody's resolver. A zone may be signed: its parent has its DS, and
 * the resolvers validate from its key on. nsd.conf(5), unbound.conf(5), ldns-signzone(1).
 */

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { runOk, start } from '../process.ts';
import { eventually } from '../wait.ts';
import type { World } from '../world.ts';
import type { Network } from './network.ts';

/** Of the name servers. */
export const nameServerAddresses = ['203.0.113.53', '203.0.113.54'] as const;
const [first, second] = nameServerAddresses;

export interface InternetDns {
  /**
   * Puts what is given in the place of the zone's records, as somebody would who pastes it; SOA and NS are there already.
   * `expired`: nobody has signed it for a month.
   */
  enter(zone: string, records: string, signatures?: 'expired'): Promise<void>;
}

export interface InternetZones {
  /** Zone → records in the form of a zone file; `.` and `com` are the root and what lies between. */
  zones: Readonly<Record<string, string>>;
  /** One of them, and the zone above it. */
  signed?: { zone: string; parent: string };
}

export async function startInternetDns(
  world: World,
  [internet, ...others]: readonly [Network, ...Network[]],
  { zones, signed }: InternetZones,
): Promise<InternetDns> {
  await mkdir(world.path('zones'), { recursive: true });
  const key = signed && (await zoneKey(world, signed.zone));
  let serial = 1;
  const write = async (zone: string, records: string, signatures?: 'expired') => {
    const file = zoneFile(world, zone);
    const delegated = zone === signed?.parent ? (key?.ds ?? '') : '';
    await writeFile(file, `${heading(zone, serial)}${records}\n${delegated}`);
    if (key === undefined || zone !== signed?.zone) return;
    const times = signatures === 'expired' ? ['-i', daysAgo(30), '-e', daysAgo(1)] : [];
    const words = ['-n', ...times, '-f', `${file}.signed`, file, key.name];
    await runOk('ldns-signzone', words, { cwd: world.path() });
    await rename(`${file}.signed`, file);
  };
  for (const [zone, records] of Object.entries(zones)) await write(zone, records);
  await writeFile(world.path('nsd.conf'), nsdConfiguration(world, Object.keys(zones)));
  await writeFile(world.path('root.hints'), `. NS a.dns.example.\na.dns.example. A ${first}\n`);
  await writeFile(world.path('unbound.conf'), unboundConfiguration(world, key?.ds));
  const startIn = ({ inside }: Network, log: string, ...command: string[]) => {
    const [program = '', ...words] = [...inside, ...command];
    const running = start(program, words, world.watchLog(world.path(log)));
    world.atEnd(() => running.stop());
    return running;
  };
  const nsd = startIn(internet, 'nsd.log', 'nsd', '-d', '-c', world.path('nsd.conf'));
  await eventually('NSD', async () => ((await serialOf('.', internet, first)) === serial ? true : undefined));
  const resolvers = [internet, ...others].map((network, index) => {
    const log = `unbound-${index}.log`;
    const { pid } = startIn(network, log, 'unbound', '-d', '-p', '-c', world.path('unbound.conf'));
    return { network, pid };
  });
  /** `hangUp`: a resolver that knows the zone of before is told to forget it. */
  const isKnown = async (zone: string, hangUp: boolean) => {
    for (const { network, pid } of resolvers) {
      if ((await serialOf(zone, network, '127.0.0.1')) === serial) continue;
      if (hangUp) process.kill(pid, 'SIGHUP');
      return undefined;
    }
    return true;
  };
  await eventually('the names of the Internet', () => isKnown('.', false));
  return {
    async enter(zone, records, signatures) {
      serial += 1;
      await write(zone, records, signatures);
      process.kill(nsd.pid, 'SIGHUP'); // looks for zone files that have changed
      const isServed = async () => (await serialOf(zone, internet, first)) === serial || undefined;
      await eventually(`the zone ${zone} at its server`, isServed);
      // Resolvers that validate never know one that is not proven: they only have to forget the one before.
      if (signatures === 'expired') for (const { pid } of resolvers) process.kill(pid, 'SIGHUP');
      else await eventually(`the new zone ${zone}`, () => isKnown(zone, true));
    },
  };
}

/** As ldns-signzone wants it: `20261128`. */
const daysAgo = (days: number): string =>
  new Date(Date.now() - days * 24 * 3_600_000).toISOString().slice(0, 10).replaceAll('-', '');

/** One key that is both KSK and ZSK: its name in the world's folder, and the DS record for the zone above. */
async function zoneKey(world: World, zone: string): Promise<{ name: string; ds: string }> {
  const { stdout } = await runOk('ldns-keygen', ['-a', 'ECDSAP256SHA256', '-k', zone], { cwd: world.path() });
  const name = stdout.toString().trim();
  return { name, ds: await readFile(world.path(`${name}.ds`), 'utf8') };
}

const askProgram = `
const resolver = new (require('node:dns').Resolver)({ timeout: 500, tries: 1 });
resolver.setServers([process.argv[1]]);
resolver.resolveSoa(process.argv[2], (_, soa) => console.log(soa?.serial));
`;

/** As a server says inside; undefined where it does not know. */
async function serialOf(zone: string, { inside }: Network, server: string): Promise<number | undefined> {
  const name = zone === '.' ? '' : zone;
  const [program = '', ...words] = [...inside, process.execPath, '-e', askProgram, server, name];
  const serial = Number((await runOk(program, words)).stdout);
  return Number.isNaN(serial) ? undefined : serial;
}

const zoneFile = (world: World, zone: string) => world.path('zones', zone === '.' ? 'root' : zone);

function heading(zone: string, serial: number): string {
  return `$ORIGIN ${zone === '.' ? '.' : `${zone}.`}
$TTL 300
@ SOA a.dns.example. hostmaster.dns.example. ${serial} 1800 900 604800 300
@ NS a.dns.example.
@ NS b.dns.example.
`;
}

/** Delegates a zone to the same servers, which are named in the root. */
export const delegation = (zone: string): string =>
  `${zone}. NS a.dns.example.\n${zone}. NS b.dns.example.\n`;

export const rootRecords = `a.dns.example. A ${first}
b.dns.example. A ${second}
`;

const nsdConfiguration = (world: World, zones: readonly string[]): string => `server:
${nameServerAddresses.map((address) => `  ip-address: ${address}\n`).join('')}  username: ""
  chroot: ""
  zonesdir: "${world.path('zones')}"
  database: ""
  pidfile: ""
  xfrdfile: ""
  zonelistfile: "${world.path('zones.list')}"
  xfrdir: "${world.path('zones')}"
remote-control:
  control-enable: no
${zones.map((zone) => `zone:\n  name: "${zone}"\n  zonefile: "${zoneFile(world, zone)}"\n`).join('')}`;

/** Reverse zones of addresses for documentation, which unbound answers for by itself, unless it is told to ask. */
const reserved = ['113.0.203.in-addr.arpa', '8.b.d.0.1.0.0.2.ip6.arpa'];

const unboundConfiguration = (world: World, anchor?: string): string => `server:
  interface: 127.0.0.1
  port: 53
  chroot: ""
  username: ""
  directory: "${world.path()}"
  pidfile: ""
  use-syslog: no
  root-hints: "${world.path('root.hints')}"
  module-config: "${anchor === undefined ? '' : 'validator '}iterator"
${anchor === undefined ? '' : `  trust-anchor: "${anchor.trim().replaceAll('\t', ' ')}"\n`}  do-ip6: no
${reserved.map((zone) => `  local-zone: "${zone}." nodefault\n`).join('')}remote-control:
  control-enable: no
`;
