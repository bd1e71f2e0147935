/**
 * An unbound that validates: one zone signed with real keys (ldns), and unsigned ones, at an address of loopback of its own on
 * port 53, so that programs that know nothing but /etc/resolv.conf can ask it too. unbound.conf(5).
 */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stubResolver } from '../../src/net/dns-stub.ts';
import { systemClock } from '../../src/util/clock.ts';
import { runOk, start } from '../process.ts';
import { eventually } from '../wait.ts';
import type { World } from '../world.ts';

/** Nobody else's, and believed as loopback. */
export const signedDnsAddress = '127.93.7.1';

export interface SignedDnsOptions {
  /** The apex, such as `signed.test`, and its records in the form of a zone file, without SOA and NS. */
  signed: { zone: string; records: readonly string[] };
  /** A record whose data is changed after signing: its signature is bogus. Left of it in the signed file, and its new form. */
  tamper?: { from: string; to: string };
  /** Apex → records. */
  unsigned: Readonly<Record<string, readonly string[]>>;
}

export interface SignedDns {
  /** `address:port`. */
  readonly server: string;
  /** For programs that ask whom /etc/resolv.conf names: prefix of their command line. */
  readonly inside: readonly string[];
}

export async function startSignedDns(world: World, options: SignedDnsOptions): Promise<SignedDns> {
  const { zone } = options.signed;
  const anchor = await signZone(world, options);
  for (const [apex, records] of Object.entries(options.unsigned))
    await writeFile(world.path(`${apex}.zone`), zoneFile(apex, records));
  const config = world.path('unbound.conf');
  const zones = [
    [zone, `${zone}.zone.signed`],
    ...Object.keys(options.unsigned).map((apex) => [apex, `${apex}.zone`]),
  ];
  await writeFile(config, configuration(world, zones as [string, string][], anchor));
  const log = world.watchLog(world.path('unbound.log'));
  const unbound = start('unbound', ['-d', '-p', '-c', config], log);
  world.atEnd(() => unbound.stop());
  const resolvConf = world.path('resolv.conf');
  await writeFile(resolvConf, `nameserver ${signedDnsAddress}\noptions trust-ad\n`);
  const script = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"';
  const inside = ['unshare', '-m', 'sh', '-c', script, 'sh', resolvConf];
  const servers = [{ address: signedDnsAddress, port: 53 }];
  const resolver = stubResolver({ servers, clock: systemClock, timeoutMs: 500, attempts: 1 });
  await eventually('unbound answers', async () => {
    const { status } = await resolver.resolve(`ns.${zone}`, 'A');
    return status === 'found' || undefined;
  });
  return { server: `${signedDnsAddress}:53`, inside };
}

/** Signs with one key that is both KSK and ZSK; resolves to the file that holds it for those who are to trust it. */
async function signZone(world: World, { signed, tamper }: SignedDnsOptions): Promise<string> {
  const { zone, records } = signed;
  const cwd = world.path();
  const file = world.path(`${zone}.zone`);
  await writeFile(file, zoneFile(zone, records));
  const { stdout } = await runOk('ldns-keygen', ['-a', 'ECDSAP256SHA256', '-k', zone], { cwd });
  const key = stdout.toString().trim();
  await runOk('ldns-signzone', ['-n', file, key], { cwd });
  const result = `${file}.signed`;
  if (tamper !== undefined) {
    const text = await readFile(result, 'utf8');
    if (!text.includes(tamper.from)) throw new Error(`The signed zone holds no "${tamper.from}"`);
    await writeFile(result, text.replace(tamper.from, tamper.to));
  }
  return join(cwd, `${key}.key`);
}

const zoneFile = (apex: string, records: readonly string[]): string =>
  [
    `$ORIGIN ${apex}.`,
    '$TTL 60',
    `@ SOA ns.${apex}. hostmaster.${apex}. 1 3600 600 86400 60`,
    `@ NS ns.${apex}.`,
    'ns A 127.0.0.1',
    ...records,
    '',
  ].join('\n');

/** Everything else does not exist: no question leaves this machine. */
function configuration(world: World, zones: readonly [apex: string, file: string][], anchor: string): string {
  return `server:
  interface: ${signedDnsAddress}
  port: 53
  access-control: 127.0.0.0/8 allow
  chroot: ""
  username: ""
  directory: "${world.path()}"
  pidfile: ""
  use-syslog: no
  verbosity: 1
  module-config: "validator iterator"
  trust-anchor-file: "${anchor}"
  do-not-query-localhost: no
  local-zone: "." static
${zones.map(([apex]) => `  local-zone: "${apex}." transparent`).join('\n')}
remote-control:
  control-enable: no
${zones
  .map(
    ([apex, file]) => `auth-zone:
  name: "${apex}."
  zonefile: "${world.path(file)}"
  for-downstream: no
  for-upstream: yes
  fallback-enabled: no
`,
  )
  .join('')}`;
}
