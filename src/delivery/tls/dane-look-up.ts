/**
 * Whether a host has TLSA records that may be believed (RFC 7672 §2, RFC 7671 §7). Asked only where DNSSEC proves the
 * host's name and its addresses; so never where the resolver is not to be believed. A failed look-up is no "no".
 */

import { usableRecords } from '../../dane/tlsa.ts';
import type { Resolver, TlsaRecord } from '../../dns/resolver.ts';
import type { Host } from '../route/route-hosts.ts';

export type DaneFinding =
  /** TLS has to show what the records name. */
  | { kind: 'dane'; base: string; records: readonly TlsaRecord[] }
  /** There are records, and none that can be used: TLS, whoever it is (RFC 7672 §2.2). */
  | { kind: 'encrypted'; base: string }
  /** It could not be found out: the host is not to be used now (RFC 7672 §2.1.2). */
  | { kind: 'unknown'; base: string; reason: string };

export interface DaneQuestion {
  host: Host;
  port: number;
  signal?: AbortSignal | undefined;
}

/** Undefined where the host has no DANE. */
export async function findDane(
  resolver: Resolver,
  { host, port, signal }: DaneQuestion,
): Promise<DaneFinding | undefined> {
  const bases = await baseDomains(resolver, host, signal);
  if ('kind' in bases) return bases;
  for (const base of bases) {
    const answer = await resolver.resolve(`_${port}._tcp.${base}`, 'TLSA', signal);
    if (answer.status === 'failed') return { kind: 'unknown', base, reason: answer.detail };
    if (answer.status === 'none' || !answer.authentic) continue;
    const records = usableRecords(answer.records);
    return records.length > 0 ? { kind: 'dane', base, records } : { kind: 'encrypted', base };
  }
  return undefined;
}

/**
 * The names below which TLSA records may be, the better one first: what an alias leads to, if it is proven to the end,
 * then the name itself. An alias out of a signed zone into one that is not still proves itself (RFC 7672 §2.2.2, §2.2.3).
 */
async function baseDomains(
  resolver: Resolver,
  { host, proven }: Host,
  signal: AbortSignal | undefined,
): Promise<string[] | (DaneFinding & { kind: 'unknown' })> {
  if (proven === undefined) return [];
  const { addresses, alias } = proven;
  if (addresses) return alias === undefined ? [host] : [alias, host];
  if (alias === undefined) return [];
  const answer = await resolver.resolve(host, 'CNAME', signal);
  if (answer.status === 'failed') return { kind: 'unknown', base: host, reason: answer.detail };
  return answer.status === 'found' && answer.authentic ? [host] : [];
}
