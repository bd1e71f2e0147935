/**
 * IP addresses as text: parsed and written back in the one canonical form (RFC 5952), so that two addresses are equal
 * when their texts are. Knows no sockets.
 */

const ipv4Octet = /^(?:0|[1-9]\d{0,2})$/;
const ipv6Group = /^[0-9a-f]{1,4}$/i;

/** The four octets of `192.0.2.1`, or undefined. Leading zeros are refused: some read them as octal. */
export function parseIpv4(text: string): number[] | undefined {
  const parts = text.split('.');
  const valid = parts.length === 4 && parts.every((part) => ipv4Octet.test(part) && Number(part) < 256);
  return valid ? parts.map(Number) : undefined;
}

/** The eight 16-bit groups of `2001:db8::1` or `::ffff:192.0.2.1` (RFC 4291 §2.2), or undefined. */
export function parseIpv6(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = [groupsOf(halves[0] ?? ''), groupsOf(halves[1] ?? '')];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  // A "::" stands for at least one group (RFC 4291 §2.2); without it all eight are written out.
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

function groupsOf(text: string): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const dotted = parts.at(-1)?.includes('.') ? parseIpv4(parts.pop() ?? '') : [];
  if (dotted === undefined || !parts.every((part) => ipv6Group.test(part))) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = dotted;
  const last = dotted.length === 4 ? [a * 256 + b, c * 256 + d] : [];
  return [...parts.map((part) => Number.parseInt(part, 16)), ...last];
}

/** Writes eight groups as RFC 5952 wants them: the first of the longest runs of two or more zeros becomes `::`. */
export function formatIpv6(groups: readonly number[]): string {
  const { start, length } = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start += 1) {
    let end = start;
    while (groups[end] === 0) end += 1;
    if (end - start > longest.length) longest = { start, length: end - start };
  }
  return longest;
}

/** The one way to write an address, or undefined for what is none. An IPv4 address inside an IPv6 one is itself. */
export function findCanonicalIp(text: string): string | undefined {
  if (text.length > 45) return undefined;
  const octets = parseIpv4(text);
  if (octets !== undefined) return octets.join('.');
  const groups = parseIpv6(text);
  if (groups === undefined) return undefined;
  return mappedIpv4(groups) ?? formatIpv6(groups);
}

/** The IPv4 address that an IPv6 one stands for, as dual-stack sockets write it (RFC 4291 §2.5.5.2); undefined for all others. */
export function mappedIpv4(groups: readonly number[]): string | undefined {
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!isMapped) return undefined;
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
