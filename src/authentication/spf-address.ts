/** IP addresses as SPF compares and writes them: octets, four or sixteen. RFC 7208 §5, §7.3. */

import { parseIpv6 } from '../dns/ip.ts';

export function ipv6Octets(address: string): number[] | undefined {
  return parseIpv6(address)?.flatMap((group) => [group >> 8, group & 255]);
}

/** Of an address out of a DNS answer. */
export const octetsOf = (address: string): readonly number[] =>
  address.includes(':') ? (ipv6Octets(address) ?? []) : address.split('.').map(Number);

/** Whether the first `bits` are the same; addresses of different families have none in common. */
export function isInNetwork(octets: readonly number[], network: readonly number[], bits: number): boolean {
  if (octets.length !== network.length) return false;
  const whole = Math.min(octets.length, bits >> 3);
  for (let index = 0; index < whole; index++) if (octets[index] !== network[index]) return false;
  const rest = bits & 7;
  if (rest === 0 || whole === octets.length) return true;
  return (octets[whole] ?? 0) >> (8 - rest) === (network[whole] ?? 0) >> (8 - rest);
}

/** As `%{i}` writes IPv6 (RFC 7208 §7.3). */
export const dottedNibbles = (octets: readonly number[]): string =>
  octets.flatMap((octet) => [(octet >> 4).toString(16), (octet & 15).toString(16)]).join('.');
