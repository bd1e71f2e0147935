/**
 * The header by which a proxy in front of us says who its client is: PROXY protocol, versions 1 and 2, as HAProxy's
 * `proxy-protocol.txt` has it. Pure: octets in, a header or a reason why it is none out. Whether the sender may be believed is
 * for `listener.ts`.
 */

import { formatIpv6, mappedIpv4, parseIpv4, parseIpv6 } from '../dns/ip.ts';

export interface ProxiedEnd {
  /** As a socket would show it: IPv4 never inside IPv6. */
  address: string;
  port: number;
}

/** Version 1 `UNKNOWN`, and in version 2 `LOCAL` or no addresses: the proxy says nothing of a client. */
export type ProxyHeader = { client: ProxiedEnd; ours: ProxiedEnd } | { client: undefined };

export type ProxyReading =
  /** `length` octets were the header; what follows is the client's. */
  | { kind: 'header'; header: ProxyHeader; length: number }
  | { kind: 'more' }
  | { kind: 'malformed'; why: string };

/** "PROXY", two IPv6 addresses, two ports and CRLF: §2.1 of the specification. */
const maxLineBytes = 107;
/** Version 2 may bring extensions (TLVs), which are passed over: a certificate's names, mostly. */
export const maxProxyHeaderBytes = 4096;

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const fixedBytes = 16;
const keyword = Buffer.from('PROXY ', 'latin1');

/** Reads what has come so far. */
export function readProxyHeader(octets: Buffer): ProxyReading {
  if (startsLike(octets, signature))
    return octets.length < fixedBytes ? { kind: 'more' } : readBinary(octets);
  if (!startsLike(octets, keyword)) return malformed('no PROXY header');
  const end = octets.subarray(0, maxLineBytes).indexOf('\r\n');
  if (end >= 0) return readLine(octets.toString('latin1', 0, end), end + 2);
  return octets.length < maxLineBytes ? { kind: 'more' } : malformed('its line is too long');
}

/** As far as both go. */
function startsLike(octets: Buffer, start: Buffer): boolean {
  const length = Math.min(octets.length, start.length);
  return octets.subarray(0, length).equals(start.subarray(0, length));
}

const malformed = (why: string): ProxyReading => ({ kind: 'malformed', why });

function readLine(line: string, length: number): ProxyReading {
  const [, family, source = '', destination = '', sourcePort = '', destinationPort = '', ...rest] =
    line.split(' ');
  if (family === 'UNKNOWN') return { kind: 'header', header: { client: undefined }, length };
  if (family !== 'TCP4' && family !== 'TCP6') return malformed(`"${family}" is neither TCP4 nor TCP6`);
  const client = endOf(family, source, sourcePort);
  const ours = endOf(family, destination, destinationPort);
  if (client === undefined || ours === undefined || rest.length > 0)
    return malformed('it does not name two addresses and two ports');
  return { kind: 'header', header: { client, ours }, length };
}

function endOf(family: 'TCP4' | 'TCP6', text: string, portText: string): ProxiedEnd | undefined {
  const address = family === 'TCP4' ? parseIpv4(text)?.join('.') : plainIpv6(parseIpv6(text));
  const port = /^(?:0|[1-9]\d{0,4})$/.test(portText) ? Number(portText) : Number.NaN;
  return address !== undefined && port <= 65_535 ? { address, port } : undefined;
}

/** A dual-stack proxy may write an IPv4 client as `::ffff:192.0.2.1`; its network is that of 192.0.2.1. */
function plainIpv6(groups: readonly number[] | undefined): string | undefined {
  return groups && (mappedIpv4(groups) ?? formatIpv6(groups));
}

/** By the high half of the 14th octet: how many octets one address takes. */
const addressBytes: Readonly<Record<number, number>> = { 1: 4, 2: 16 };

function readBinary(octets: Buffer): ProxyReading {
  const [versionAndCommand, familyAndTransport] = [octets.readUInt8(12), octets.readUInt8(13)];
  const length = fixedBytes + octets.readUInt16BE(14);
  if (versionAndCommand >> 4 !== 2) return malformed(`version ${versionAndCommand >> 4} is not known`);
  const command = versionAndCommand & 15;
  if (command > 1) return malformed(`command ${command} is not known`);
  if (length > maxProxyHeaderBytes) return malformed(`it is longer than ${maxProxyHeaderBytes} octets`);
  if (octets.length < length) return { kind: 'more' };
  const isUnspecified = familyAndTransport === 0;
  if (command === 0 || isUnspecified) return { kind: 'header', header: { client: undefined }, length };
  const size = addressBytes[familyAndTransport >> 4];
  if (size === undefined || (familyAndTransport & 15) !== 1)
    return malformed('its client does not come by TCP');
  if (length < fixedBytes + 2 * size + 4) return malformed('it is too short for its addresses');
  const end = (index: number): ProxiedEnd => ({
    address: addressIn(octets.subarray(fixedBytes + index * size, fixedBytes + (index + 1) * size)),
    port: octets.readUInt16BE(fixedBytes + 2 * size + 2 * index),
  });
  return { kind: 'header', header: { client: end(0), ours: end(1) }, length };
}

function addressIn(octets: Buffer): string {
  if (octets.length === 4) return octets.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => octets.readUInt16BE(index * 2));
  return plainIpv6(groups) ?? formatIpv6(groups);
}
