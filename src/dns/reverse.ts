/** The names under which addresses are looked up backwards: RFC 1035 §3.5 for IPv4, RFC 3596 §2.5 for IPv6. */

import { parseIpv4, parseIpv6 } from './ip.ts';

/**
 * `192.0.2.1` → `1.2.0.192.in-addr.arpa`, `2001:db8::1` → `1.0.0.0.….8.b.d.0.1.0.0.2.ip6.arpa`.
 * An IPv4 address in IPv6 clothes (`::ffff:192.0.2.1`, as dual-stack sockets report it) is reversed as IPv4, and a
 * scope (`fe80::1%eth0`) is left out.
 * @throws {TypeError} when the text is no IP address: addresses come from sockets, so this is a bug.
 */
export function reverseName(address: string): string {
  const octets = parseIpv4(address.replace(/^::ffff:/i, ''));
  if (octets !== undefined) return `${octets.reverse().join('.')}.in-addr.arpa`;
  const groups = parseIpv6(address.replace(/%.*$/s, ''));
  if (groups === undefined)
    throw new TypeError(`Cannot reverse ${JSON.stringify(address)}: not an IP address`);
  const nibbles = groups.flatMap((group) => [...group.toString(16).padStart(4, '0')]);
  return `${nibbles.reverse().join('.')}.ip6.arpa`;
}
