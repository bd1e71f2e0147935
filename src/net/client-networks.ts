/**
 * Who counts as one client, and who as its neighbours. A customer has one IPv4 address, but a whole /64 of IPv6 (RFC 6177): one
 * client. A /24 of IPv4 and a /48 of IPv6 are what one site or one hoster's customer may have: one network.
 */

import { formatIpv6, parseIpv6 } from '../dns/ip.ts';

export interface ClientNetworks {
  /** `192.0.2.1`, `2001:db8:1:2::/64` */
  client: string;
  /** `192.0.2.0/24`, `2001:db8:1::/48` */
  network: string;
}

/** Of an address as sockets show it: IPv4 not inside IPv6, and well-formed. */
export function clientNetworks(address: string): ClientNetworks {
  if (!address.includes(':'))
    return { client: address, network: `${address.slice(0, address.lastIndexOf('.'))}.0/24` };
  const groups = parseIpv6(address) ?? [];
  const first = (count: number) =>
    `${formatIpv6(Array.from({ length: 8 }, (_, index) => (index < count ? (groups[index] ?? 0) : 0)))}/${count * 16}`;
  return { client: first(4), network: first(3) };
}
