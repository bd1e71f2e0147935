/** DNS of the foreign suites in testdata/: plain records by name, some of which no server would send. */

import { readFileSync } from 'node:fs';
import type { Answer, RecordType, RecordTypes, Resolver } from '../dns/resolver.ts';

/** By name in lower case; records by type as Resolver gives them. With `timeout`, what is not there has no answer. */
export type SuiteZone = Record<string, { [T in RecordType]?: RecordTypes[T][] } & { timeout?: boolean }>;

export function suiteResolver(zone: SuiteZone): Resolver {
  return {
    async resolve<T extends RecordType>(name: string, type: T): Promise<Answer<RecordTypes[T]>> {
      const node = zone[name.toLowerCase()];
      const alias = node?.CNAME?.[0];
      if (alias !== undefined && type !== 'CNAME') return this.resolve(alias, type);
      // The compiler does not follow T through the intersection.
      const records = node?.[type] as RecordTypes[T][] | undefined;
      if (records !== undefined && records.length > 0)
        return { status: 'found', records, ttl: 60, authentic: false };
      if (node?.timeout) return { status: 'failed', detail: 'timeout' };
      const exists = node !== undefined || Object.keys(zone).some((other) => other.endsWith(`.${name}`));
      return { status: 'none', reason: exists ? 'nodata' : 'nxdomain', ttl: 60, authentic: false };
    },
  };
}

/** Of TXT records alone, each one string. */
export function textResolver(texts: Readonly<Record<string, string>>): Resolver {
  const records = Object.entries(texts).map(([name, text]) => [name.toLowerCase(), { TXT: [[text]] }]);
  return suiteResolver(Object.fromEntries(records));
}

/** The files are written for the tests; their shapes are told there and nowhere checked. */
export const loadSuite = <T>(path: string): T =>
  JSON.parse(readFileSync(new URL(`../../testdata/${path}`, import.meta.url), 'utf8'));
