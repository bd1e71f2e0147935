/** Sets of networks in CIDR notation, and whether an address lies in one. */

import { BlockList, isIPv6 } from 'node:net';

export type NetworkSet = (address: string) => boolean;

/** Makes a membership test from blocks such as `127.0.0.0/8`, `2001:db8::/32` or single addresses. */
export function networkSet(blocks: readonly string[]): NetworkSet {
  if (blocks.length === 0) return () => false;
  const list = new BlockList();
  for (const block of blocks) {
    const [address = '', bits] = block.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  const known = new Map<string, boolean>();
  return (address) => {
    const cached = known.get(address);
    if (cached !== undefined) return cached;
    const inside = list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
    if (known.size >= maxRemembered) known.clear();
    known.set(address, inside);
    return inside;
  };
}

/** Answers kept, since one client asks again and again. */
const maxRemembered = 1000;
