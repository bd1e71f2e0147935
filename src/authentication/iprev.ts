/**
 * Forward-confirmed reverse DNS, "iprev" (RFC 8601 §3): does a name of the client's address lead back to the address?
 */

import { parseIpv4, parseIpv6 } from '../dns/ip.ts';
import { reverseName } from '../dns/reverse.ts';
import type { LookUps } from './look-ups.ts';
import type { IprevVerdict } from './verdicts.ts';

/** As many names as SPF follows (RFC 7208 §4.6.4); whoever has more has shown enough of them. */
export const maxReverseNames = 10;

/** `address` is that of the client, as its socket tells it. */
export async function checkIprev(lookUps: LookUps, address: string): Promise<IprevVerdict> {
  const reverse = reverseOf(address);
  if (reverse === undefined) return verdict('permerror', '', 'the client has no IP address');
  const names = await lookUps.ask(reverse, 'PTR');
  if (names.status === 'failed') return verdict('temperror', '', names.detail);
  const [first = ''] = names.status === 'found' ? names.records : [];
  if (names.status === 'none' || first === '')
    return verdict('permerror', '', `${address} has no PTR record`);

  const type = reverse.endsWith('.ip6.arpa') ? 'AAAA' : 'A';
  const looked = names.records.slice(0, maxReverseNames);
  const checks = looked.map(async (name) => {
    const answer = await lookUps.ask(name, type);
    if (answer.status === 'failed') return { name, failure: answer.detail };
    const matches =
      answer.status === 'found' && answer.records.some((record) => reverseOf(record) === reverse);
    return { name, matches };
  });
  const forward = await Promise.all(checks);
  const confirmed = forward.find(({ matches }) => matches);
  if (confirmed)
    return verdict('pass', confirmed.name, `${confirmed.name} has the address ${address}`, looked);
  const failed = forward.find(({ failure }) => failure !== undefined);
  if (failed) return verdict('temperror', failed.name, failed.failure ?? '', looked);
  return verdict('fail', first, `${first} does not have the address ${address}`, looked);
}

function verdict(
  result: IprevVerdict['result'],
  name: string,
  reason: string,
  names?: readonly string[],
): IprevVerdict {
  return { result, name, ...(names && { names }), reason };
}

/** One form per address, so that addresses can be compared by it; undefined for what is none. */
function reverseOf(address: string): string | undefined {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/s, '');
  return parseIpv4(plain) || parseIpv6(plain) ? reverseName(plain) : undefined;
}
