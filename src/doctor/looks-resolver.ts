/** What a doctor sees of DNS, for the mechanisms that ask a resolver: SPF, DMARC, the fetching of policies. */

import { failed } from '../dns/message.ts';
import type { ShownRecord } from '../dns/record-text.ts';
import type { Answer, RecordType, RecordTypes, Resolver } from '../dns/resolver.ts';
import type { DnsLooks } from './dns-looks.ts';

/** Names of our own zones as their servers have them, all others likewise. */
export function looksResolver(looks: DnsLooks): Resolver {
  return {
    async resolve<T extends RecordType>(name: string, type: T): Promise<Answer<RecordTypes[T]>> {
      const seen = await looks.see(name, type);
      if (seen.status === 'unknown') return failed(seen.why ?? 'not known');
      if (seen.status === 'none')
        return { status: 'none', reason: seen.isNowhere ? 'nxdomain' : 'nodata', ttl: 0, authentic: false };
      // `dataOf` gives each type's shape, and all records are of this type.
      const records = seen.records.map(dataOf) as RecordTypes[T][];
      const alias = seen.alias === undefined ? {} : { canonicalName: seen.alias };
      return { status: 'found', records, ttl: 0, authentic: false, ...alias };
    },
  };
}

function dataOf({ type, text, strings = [text] }: ShownRecord): RecordTypes[RecordType] {
  switch (type) {
    case 'TXT':
      return [...strings];
    case 'MX': {
      const [preference = '0', exchange = ''] = text.split(' ');
      return { preference: Number(preference), exchange: exchange === '.' ? '' : exchange };
    }
    case 'TLSA': {
      const [usage, selector, matchingType, hex = ''] = text.split(' ');
      return {
        usage: Number(usage),
        selector: Number(selector),
        matchingType: Number(matchingType),
        data: Buffer.from(hex, 'hex'),
      };
    }
    default:
      return text;
  }
}
