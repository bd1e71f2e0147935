/**
 * DNS lists of addresses and of domains, "DNSBL" and "DNSWL" (RFC 5782): the names that are asked for, what the answers mean,
 * and whether a list answers us as it should at all. Knows neither whose addresses these are nor what follows.
 */

import type { Answer } from './resolver.ts';
import { reverseName } from './reverse.ts';

/** Asks for the A records of a name; undefined: there was no time. */
export type AskList = (name: string, type: 'A') => Promise<Answer<string> | undefined>;

export type ListKind = 'ipv4' | 'ipv6' | 'domains';

export interface ListAnswer {
  result: 'listed' | 'free' | 'unknown';
  /** Of an entry. */
  codes: readonly string[];
}

/** What every list has to have, and what it must not have (RFC 5782 §5). Those of IPv6 are mapped addresses of IPv4. */
const testEntries: Record<ListKind, { listed: string; free: string }> = {
  ipv4: { listed: '2.0.0.127', free: '1.0.0.127' },
  ipv6: { listed: nibbles('0:0:0:0:0:ffff:7f00:2'), free: nibbles('0:0:0:0:0:ffff:7f00:1') },
  domains: { listed: 'test', free: 'invalid' },
};

/** What some lists answer to those they do not want to answer (Spamhaus: 127.255.255.252 to .255). */
const refusals = /^127\.255\.255\.\d+$/;

/** Whether a list answers as it should: a resolver that it does not answer, or where everything has an answer, tells nothing. */
export async function auditList(ask: AskList, zone: string, kind: ListKind): Promise<boolean> {
  const { listed, free } = testEntries[kind];
  const [has, hasNot] = await Promise.all([listed, free].map((entry) => askList(ask, zone, entry)));
  return has?.result === 'listed' && hasNot?.result === 'free';
}

export async function askList(ask: AskList, zone: string, entry: string): Promise<ListAnswer> {
  const answer = await ask(`${entry}.${zone}`, 'A');
  if (answer === undefined || answer.status === 'failed') return { result: 'unknown', codes: [] };
  if (answer.status === 'none') return { result: 'free', codes: [] };
  // Entries are in 127.0.0.0/8 (RFC 5782 §2.1); anything else comes from somebody who answers every question.
  const isEntry = answer.records.every((record) => record.startsWith('127.') && !refusals.test(record));
  return isEntry
    ? { result: 'listed', codes: answer.records.slice(0, maxCodes) }
    : { result: 'unknown', codes: [] };
}

const maxCodes = 20;

/** Under which name an address is listed: octets or nibbles, the last one first (RFC 5782 §2.1, §2.4). */
export const addressEntry = (address: string): { entry: string; kind: ListKind } => {
  const name = reverseName(address);
  return { entry: nibbles(address), kind: name.endsWith('.ip6.arpa') ? 'ipv6' : 'ipv4' };
};

function nibbles(address: string): string {
  return reverseName(address).replace(/\.(?:in-addr|ip6)\.arpa$/, '');
}
