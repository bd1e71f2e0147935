/** Addresses, ports and networks as a configuration writes them. Text only: opens nothing, looks nothing up. */

import { parseIpv4, parseIpv6 } from '../dns/ip.ts';

export interface HostPort {
  host: string;
  port: number;
}

export interface Network {
  address: string;
  /** Length of the prefix in bits. */
  prefix: number;
}

export function isPort(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535;
}

/** 4, 6, or undefined for what is no IP address. IPv6 zones (`%eth0`) are none. */
export function ipVersion(text: string): 4 | 6 | undefined {
  if (parseIpv4(text) !== undefined) return 4;
  return text.includes(':') && parseIpv6(text) !== undefined ? 6 : undefined;
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback(address: string): boolean {
  return parseIpv4(address)?.[0] === 127 || parseIpv6(address)?.join(':') === '0:0:0:0:0:0:0:1';
}

/** `192.0.2.0/24`, `2001:db8::/32`; a lone address is a network of one. */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const version = ipVersion(address);
  if (version === undefined || rest.length > 0) return undefined;
  const bits = version === 4 ? 32 : 128;
  if (length === undefined) return { address, prefix: bits };
  const prefix = /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  return prefix <= bits ? { address, prefix } : undefined;
}

/** Nothing stands behind its prefix: of 10.0.0.0/8, not of 10.1.2.3/8. */
export function isNetworkAddress(text: string): boolean {
  const network = parseNetwork(text);
  if (network === undefined) return false;
  const groups = parseIpv4(network.address) ?? parseIpv6(network.address) ?? [];
  const width = groups.length === 4 ? 8 : 16;
  return groups.every((group, index) => {
    const free = Math.min(width, Math.max(0, (index + 1) * width - network.prefix));
    return Number(group) % 2 ** free === 0;
  });
}

/** `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address. The host is not looked at any further. */
export function parseHostPort(text: string, defaultPort: number): HostPort | undefined {
  if (ipVersion(text) === 6) return { host: text, port: defaultPort };
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:[\]\s]+))(?::(?<port>\d{1,5}))?$/.exec(text);
  const { v6, name, port } = match?.groups ?? {};
  const host = v6 ?? name;
  const number = port === undefined ? defaultPort : Number(port);
  if (host === undefined || !isPort(number) || number === 0) return undefined;
  return v6 !== undefined && ipVersion(v6) !== 6 ? undefined : { host, port: number };
}
