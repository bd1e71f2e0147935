/** What an IP address is good for, and which addresses are this machine's own. Knows no mail. */

import { isIP, isIPv6, SocketAddress } from 'node:net';
import { networkInterfaces } from 'node:os';
import { networkSet } from './networks.ts';

export type AddressClass =
  | 'public'
  | 'loopback'
  | 'private'
  | 'link-local'
  | 'unspecified'
  | 'multicast'
  | 'reserved';

/** IPv4 blocks and their IPv6 counterparts: RFC 6890, 1918, 6598, 3927, 5771, 1112; RFC 4291, 4193, 3879. */
const blocks: [AddressClass, string[], string[]][] = [
  ['loopback', ['127.0.0.0/8'], ['::1/128']],
  ['unspecified', ['0.0.0.0/8'], ['::/128']],
  ['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'], ['fc00::/7', 'fec0::/10']],
  ['link-local', ['169.254.0.0/16'], ['fe80::/10']],
  ['multicast', ['224.0.0.0/4'], ['ff00::/8']],
  ['reserved', ['240.0.0.0/4'], []],
];

/** IPv6 prefixes of 96 bits that carry an IPv4 address: mapped (RFC 4291 §2.5.5.2), NAT64 (RFC 6052 §2.1). */
const carriers = ['::ffff:', '64:ff9b::'];

function carried(block: string): string[] {
  const [address = '', bits = '32'] = block.split('/');
  return carriers.map((prefix) => `${prefix}${address}/${96 + Number(bits)}`);
}

const classes = blocks.map(([name, v4, v6]) => ({
  name,
  contains: networkSet([...v4, ...v4.flatMap(carried), ...v6]),
}));

/** The class of an IPv4 or IPv6 address; an IPv4 address inside an IPv6 one counts as itself. */
export function addressClass(address: string): AddressClass {
  return classes.find(({ contains }) => contains(address))?.name ?? 'public';
}

/** 4 or 6, or undefined for what is not an address, such as a name. */
export function findFamily(text: string): 4 | 6 | undefined {
  const family = isIP(text);
  return family === 4 || family === 6 ? family : undefined;
}

/** The one way to write an address that is compared: `::FFFF:192.0.2.1` → `192.0.2.1`, `2001:DB8:0::1` → `2001:db8::1`. */
export function canonicalAddress(address: string): string {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const text = new SocketAddress({ address, family }).address;
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(text)?.[1] ?? text;
}

/** Those of this machine's interfaces that are of this class; public ones may be on loopback, too, where a router sends them. */
export function machineAddresses(wanted: AddressClass): string[] {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const own = new Set(all.map(({ address }) => canonicalAddress(address)));
  return [...own].filter((address) => addressClass(address) === wanted);
}

export interface BoundAddress {
  address: string;
  port: number;
}

/**
 * Makes a test for "this is one of our own listeners". A listener on `0.0.0.0` or `::` answers on every address of the
 * machine; these are read once.
 */
export function ownListeners(
  listeners: readonly BoundAddress[],
): (endpoint: { address: string; port: number }) => boolean {
  const machine = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const own = new Set<string>();
  for (const { address, port } of listeners) {
    const isWildcard = addressClass(address) === 'unspecified';
    const bound = isWildcard ? machine.map((entry) => entry.address) : [address];
    for (const each of bound) own.add(`${canonicalAddress(each)} ${port}`);
  }
  return ({ address, port }) => own.has(`${canonicalAddress(address)} ${port}`);
}
