/**
 * Is an address of ours on a block list (DNSBL, RFC 5782)? The list's own test entries are asked for first: a resolver that the
 * list does not answer, or that answers everything, tells nothing.
 */

import type { LookUps } from '../../authentication/look-ups.ts';
import type { Answer } from '../../dns/resolver.ts';
import { reverseName } from '../../dns/reverse.ts';
import { findFamily } from '../../net/addresses.ts';
import type { Finding } from './history.ts';

/** What every list has to have, and what it must not have (RFC 5782 §5). */
const testEntries = {
  4: { listed: '127.0.0.2', free: '127.0.0.1' },
  // As IPv6, these are the mapped addresses; reverseName() would make IPv4 of them.
  6: { listed: '0:0:0:0:0:ffff:7f00:2', free: '0:0:0:0:0:ffff:7f00:1' },
} as const;

/** What some lists answer to those they do not want to answer (Spamhaus: 127.255.255.252 to .255). */
const refusals = /^127\.255\.255\.\d+$/;

export async function askBlocklist(ask: LookUps, address: string, zone: string): Promise<Finding> {
  const finding = { check: 'blocklist', subject: zone } as const;
  const { listed, free } = testEntries[findFamily(address) ?? 4];
  const [has, hasNot, answer] = await Promise.all(
    [listed, free, address].map((each) => ask.ask(`${queryName(each)}.${zone}`, 'A')),
  );
  if (read(has) !== 'listed' || read(hasNot) !== 'free')
    return { ...finding, result: 'unknown', evidence: `${zone} does not answer our resolver as it should` };
  switch (read(answer)) {
    case 'listed':
      return { ...finding, result: 'bad', evidence: `${address} is listed by ${zone} (${codesOf(answer)})` };
    case 'free':
      return { ...finding, result: 'good', evidence: `${address} is not listed by ${zone}` };
    case 'unknown':
      return { ...finding, result: 'unknown', evidence: `whether ${zone} lists ${address} is not known now` };
  }
}

/** Octets or nibbles, the last one first (RFC 5782 §2.1, §2.4). */
const queryName = (address: string): string => reverseName(address).replace(/\.(?:in-addr|ip6)\.arpa$/, '');

function read(answer: Answer<string> | undefined): 'listed' | 'free' | 'unknown' {
  if (answer === undefined || answer.status === 'failed') return 'unknown';
  if (answer.status === 'none') return 'free';
  // Entries are in 127.0.0.0/8 (RFC 5782 §2.1); anything else comes from somebody who answers every question.
  const isEntry = answer.records.every((record) => record.startsWith('127.') && !refusals.test(record));
  return isEntry ? 'listed' : 'unknown';
}

const codesOf = (answer: Answer<string> | undefined): string =>
  answer?.status === 'found' ? answer.records.join(', ') : '';
