/**
 * A network of one machine: a namespace with addresses as the Internet has them, its own /etc/resolv.conf, and a DNS at port 53.
 * Nothing leaves it. ip-netns(8), unshare(1).
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ZoneData } from '../../src/dns/zone-data.ts';
import { run, runOk, start } from '../process.ts';
import type { World } from '../world.ts';

export interface Network {
  /** The command that runs another inside. */
  inside: readonly string[];
  /** Of the process that holds it. */
  pid: number;
  /** Where its files are to be found from outside. */
  root: string;
  /** What DNS says is in this file, as JSON, where there are records; a change of it shows at once. */
  zoneFile: string;
}

const dnsProgram = join(import.meta.dirname, 'network-dns.ts');

/**
 * Undefined where the kernel does not allow namespaces. Without `records` nothing listens at port 53 yet; `more` are commands that
 * come before everything else.
 */
export async function startNetwork(
  world: World,
  addresses: readonly string[],
  records: ZoneData | undefined,
  more: readonly string[] = [],
): Promise<Network | undefined> {
  const resolvConf = world.path('resolv.conf');
  await writeFile(resolvConf, 'nameserver 127.0.0.1\noptions trust-ad\n');
  const setUp = [
    ...more,
    'ip link set lo up',
    ...addresses.map((address) =>
      address.includes(':')
        ? `ip -6 addr add ${address}/128 dev lo nodad`
        : `ip addr add ${address}/32 dev lo`,
    ),
    `mount --bind ${resolvConf} /etc/resolv.conf`,
  ].join(' && ');
  if ((await run('unshare', ['-nm', 'sh', '-c', setUp])).code !== 0) return undefined;
  const holder = start(
    'unshare',
    ['-nm', 'sh', '-c', `${setUp} && echo ready && exec sleep infinity`],
    world.path('network-log'),
  );
  world.atEnd(() => holder.kill());
  await holder.line(/^ready$/);
  const inside = ['nsenter', '-t', String(holder.pid), '-n', '-m', '--'];
  const zoneFile = world.path('zone.json');
  if (records !== undefined) await startDnsInside(world, inside, { zoneFile, records });
  return { inside, zoneFile, pid: holder.pid, root: `/proc/${holder.pid}/root` };
}

interface Place {
  network: Network;
  addresses: readonly string[];
}

/** A wire between two networks, each with its addresses at its end of it; everything else lies beyond. veth(4). */
export async function connectNetworks(one: Place, other: Place): Promise<void> {
  const [first = '', ...words] = one.network.inside;
  const peer = ['peer', 'name', 'wan0', 'netns', String(other.network.pid)];
  await runOk(first, [...words, 'ip', 'link', 'add', 'wan0', 'type', 'veth', ...peer]);
  for (const { network, addresses } of [one, other]) {
    const [program = '', ...rest] = network.inside;
    const commands = [
      ...addresses.map((address) =>
        address.includes(':')
          ? `ip -6 addr add ${address}/128 dev wan0 nodad`
          : `ip addr add ${address}/32 dev wan0`,
      ),
      'ip link set wan0 up',
      'ip route add default dev wan0',
      'ip -6 route add default dev wan0',
    ];
    await runOk(program, [...rest, 'sh', '-c', commands.join(' && ')]);
  }
}

async function startDnsInside(
  world: World,
  inside: readonly string[],
  { zoneFile, records }: { zoneFile: string; records: ZoneData },
): Promise<void> {
  await writeFile(zoneFile, JSON.stringify(records));
  const [first = '', ...words] = [...inside, process.execPath, dnsProgram, zoneFile];
  const dns = start(first, words, world.path('dns-log'));
  world.atEnd(() => dns.kill());
  await dns.line(/^serving$/);
}
