/**
 * A network of one machine: a namespace with addresses as the Internet has them, its own /etc/resolv.conf, and a DNS at port 53.
 * Nothing leaves it. ip-netns(8), unshare(1).
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ZoneData } from '../../src/dns/zone-data.ts';
import { run, start } from '../process.ts';
import type { World } from '../world.ts';

export interface Network {
  /** The command that runs another inside. */
  inside: readonly string[];
}

const dnsProgram = join(import.meta.dirname, 'network-dns.ts');

/** Undefined where the kernel does not allow namespaces. */
export async function startNetwork(
  world: World,
  addresses: readonly string[],
  records: ZoneData,
): Promise<Network | undefined> {
  const resolvConf = world.path('resolv.conf');
  await writeFile(resolvConf, 'nameserver 127.0.0.1\n');
  const setUp = [
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
  await startDnsInside(world, inside, records);
  return { inside };
}

async function startDnsInside(world: World, inside: readonly string[], records: ZoneData): Promise<void> {
  const zoneFile = world.path('zone.json');
  await writeFile(zoneFile, JSON.stringify(records));
  const [first = '', ...words] = [...inside, process.execPath, dnsProgram, zoneFile];
  const dns = start(first, words, world.path('dns-log'));
  world.atEnd(() => dns.kill());
  await dns.line(/^serving$/);
}
