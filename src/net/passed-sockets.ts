/**
 * Listening sockets that another process has opened and passed on: systemd by socket activation (sd_listen_fds(3)), or a
 * server of ours that hands over. What listens on them comes from Linux: to ask the socket itself, one would have to listen.
 */

import { readFile, readlink } from 'node:fs/promises';
import { formatIpv6 } from '../dns/ip.ts';

export interface PassedSocket {
  fd: number;
  /** Where it listens; a Unix socket by its path. */
  at: { address: string; port: number } | { path: string };
}

type Environment = Record<string, string | undefined>;

/** The first one that is passed on (sd_listen_fds(3)). */
const firstPassed = 3;
/** More than anybody listens on. */
const maxPassed = 256;

/** Set for a successor, in the place of LISTEN_PID: nobody knows the number of a process before it is there. */
export const countVariable = 'POSTHORN_LISTEN_FDS';

/** How many there are; the variables are taken out of `env`, for whatever is started from here is not to be given them. */
export function takePassedCount(env: Environment, pid: number): number {
  const isOurs = env.LISTEN_PID === String(pid);
  const count = Number(env[countVariable] ?? (isOurs ? env.LISTEN_FDS : undefined) ?? 0);
  for (const name of [countVariable, 'LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name];
  return Number.isInteger(count) && count > 0 ? Math.min(count, maxPassed) : 0;
}

/** Those of which it can be found out where they listen. */
export async function passedSockets(count: number): Promise<PassedSocket[]> {
  if (count === 0) return [];
  const places = await listeningPlaces();
  const found = Array.from({ length: count }, async (_, index): Promise<PassedSocket[]> => {
    const fd = firstPassed + index;
    const link = await readlink(`/proc/self/fd/${fd}`).catch(() => '');
    const at = places.get(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? '');
    return at === undefined ? [] : [{ fd, at }];
  });
  return (await Promise.all(found)).flat();
}

/** By inode. */
async function listeningPlaces(): Promise<Map<string, PassedSocket['at']>> {
  const [four, six, unix] = await Promise.all(['tcp', 'tcp6', 'unix'].map(table));
  return new Map([
    ...(four ?? []).flatMap(tcpPlace),
    ...(six ?? []).flatMap(tcpPlace),
    ...(unix ?? []).flatMap(unixPlace),
  ]);
}

async function table(name: string): Promise<string[]> {
  const text = await readFile(`/proc/self/net/${name}`, 'utf8').catch(() => ''); // no IPv6, or no Linux
  return text.split('\n').slice(1);
}

/** `sl local_address rem_address st … inode` (proc_net_tcp(5)): `0A` is LISTEN. */
export function tcpPlace(line: string): [string, PassedSocket['at']][] {
  const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
  const [hex = '', port = ''] = local.split(':');
  if (state !== '0A') return [];
  return [[inode, { address: addressOf(hex), port: Number.parseInt(port, 16) }]];
}

/** In words of 32 bits, each as the machine has them: Linux on every machine that Node is built for is little-endian. */
function addressOf(hex: string): string {
  const octets = (hex.match(/.{8}/g) ?? []).flatMap((word) =>
    [6, 4, 2, 0].map((at) => Number.parseInt(word.slice(at, at + 2), 16)),
  );
  if (octets.length === 4) return octets.join('.');
  const pairs = Array.from(
    { length: 8 },
    (_, at) => ((octets[2 * at] ?? 0) << 8) | (octets[2 * at + 1] ?? 0),
  );
  return formatIpv6(pairs);
}

/** `Num RefCount Protocol Flags Type St Inode Path`; the flag 00010000 is that of one that listens. */
export function unixPlace(line: string): [string, PassedSocket['at']][] {
  const [, , , flags, , , inode = '', ...path] = line
    .trim()
    .split(' ')
    .filter((part) => part !== '');
  return flags === '00010000' && path.length > 0 ? [[inode, { path: path.join(' ') }]] : [];
}
