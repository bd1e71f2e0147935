/** For tests: what the doctor sees of DNS, as it is told to be. */

import type { ShownType } from '../dns/record-text.ts';
import type { DnsLooks, Seen } from '../doctor/dns-looks.ts';

/** By `name TYPE` the texts of its records; `unknown`: nobody can tell. What is not named is not there. */
export function seenDns(answers: Readonly<Record<string, readonly string[] | 'unknown'>> = {}): DnsLooks {
  const look = async (name: string, type: ShownType): Promise<Seen> => {
    const texts = answers[`${name} ${type}`] ?? [];
    if (texts === 'unknown')
      return { name, type, status: 'unknown', records: [], why: 'ns1 does not answer' };
    const records = texts.map((text) => ({ name, type, ttl: 60, text }));
    return { name, type, status: texts.length === 0 ? 'none' : 'found', records };
  };
  // The examinations of single records ask nothing else.
  return { see: look, resolve: look } as unknown as DnsLooks;
}
