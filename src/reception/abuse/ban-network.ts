/** Whom an operator's ban is about, as bans are named: a client, its network, or any other block of addresses. */

import { type Network, parseNetwork } from '../../config/network.ts';
import { findCanonicalIp, formatIpv6, parseIpv4, parseIpv6 } from '../../dns/ip.ts';
import { clientNetworks } from '../../net/client-networks.ts';

/** A block larger than these bans a part of the Internet by mistake. */
const leastPrefix = { 4: 8, 6: 16 };

/** Of an address the client; of `192.0.2.7/24` the block `192.0.2.0/24`. Undefined for what is none, or too large. */
export function banNetwork(text: string): string | undefined {
  const network = parseNetwork(text);
  if (network === undefined) return undefined;
  const { address, prefix } = plain(network);
  const octets = parseIpv4(address);
  if (octets === undefined) {
    if (prefix < leastPrefix[6]) return undefined;
    // Nobody has less than a /64 (RFC 6177): the next address is as near as this one.
    if (prefix >= 64) return clientNetworks(address).client;
    return `${formatIpv6(masked(parseIpv6(address) ?? [], 16, prefix))}/${prefix}`;
  }
  if (prefix < leastPrefix[4]) return undefined;
  return prefix === 32 ? octets.join('.') : `${masked(octets, 8, prefix).join('.')}/${prefix}`;
}

/** An IPv4 address as dual-stack sockets write it (RFC 4291 §2.5.5.2) is banned as itself. */
function plain({ address, prefix }: Network): Network {
  const canonical = findCanonicalIp(address) ?? address;
  const isMapped = address.includes(':') && !canonical.includes(':');
  return isMapped && prefix >= mappedPrefix
    ? { address: canonical, prefix: prefix - mappedPrefix }
    : { address, prefix };
}

const mappedPrefix = 96;

function masked(parts: readonly number[], bits: number, prefix: number): number[] {
  return parts.map((part, index) => {
    const kept = Math.min(bits, Math.max(0, prefix - index * bits));
    return part & ((2 ** bits - 1) ^ (2 ** (bits - kept) - 1));
  });
}
