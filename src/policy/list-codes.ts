/**
 * How a condition names a DNS list and those of its answers that count: `zen.spamhaus.org`, `zen.spamhaus.org=127.0.0.2-11`,
 * `list.dnswl.org=127.0.*.2-3,127.0.9.1`. The answers are addresses whose octets tell why somebody is listed (RFC 5782 §2.1).
 */

import { parseDomain } from '../mail/domain.ts';

const octet = String.raw`(?:\*|\d{1,3}(?:-\d{1,3})?)`;
const codesPattern = new RegExp(`^127(?:\\.${octet}){3}(?:,127(?:\\.${octet}){3}){0,19}$`);

export interface ListArgument {
  /** Lower-case. */
  zone: string;
  /** Absent: every answer counts. */
  codes?: string;
}

export function readListArgument(argument: string): ListArgument {
  const [zone = '', codes] = argument.toLowerCase().split('=', 2);
  return codes === undefined ? { zone } : { zone, codes };
}

export function isListArgument(argument: string): boolean {
  const { zone, codes } = readListArgument(argument);
  const isZone = parseDomain(zone) === zone && zone.includes('.') && zone.length <= maxZone;
  return (
    isZone &&
    argument.split('=').length <= 2 &&
    (codes === undefined || (codesPattern.test(codes) && codes.split(/[.,]/).every(isOctet)))
  );
}

/** `*`, or from 0 to 255, and no end before its beginning. */
function isOctet(part: string): boolean {
  if (part === '*') return true;
  const [least = '', most = least] = part.split('-');
  return Number(least) <= Number(most) && Number(most) <= 255;
}

/** What stands before the zone has up to 64 characters, of an IPv6 address (RFC 5782 §2.4). */
const maxZone = 253 - 64;

/** `code` is an answer. */
export const fitsCodes = (codes: string, code: string): boolean =>
  codes.split(',').some((pattern) => {
    const octets = code.split('.');
    return pattern.split('.').every((part, index) => fitsOctet(part, Number(octets[index])));
  });

function fitsOctet(part: string, value: number): boolean {
  if (part === '*') return true;
  const [least = '', most = least] = part.split('-');
  return value >= Number(least) && value <= Number(most);
}
