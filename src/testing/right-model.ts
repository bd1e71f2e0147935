/** The model of a piece of DNS in which all is right, made of the records that are wanted. */

import type { NameRecords } from '../dns/zone-data.ts';
import type { WantedRecord } from '../records/wanted-record.ts';
import { type DnsModel, type DnsPlaces, isWithin, type Records } from './dns-stage.ts';

/**
 * All that is wanted is there, and nothing else. What is not to be published yet is left out; and DMARC is past its
 * beginning, of which the doctor has something to say.
 */
export function rightModel(domain: string, records: readonly WantedRecord[], places: DnsPlaces): DnsModel {
  const all: Records = {};
  for (const record of records.filter(({ notYet }) => notYet === undefined))
    all[record.name] = withRecord(all[record.name] ?? {}, record);
  const own = Object.entries(all).filter(([name]) => isWithin(name, domain));
  const others = Object.entries(all).filter(([name]) => !isWithin(name, domain));
  return {
    domain,
    zone: {
      ...Object.fromEntries(own),
      [domain]: { ...all[domain], NS: [`ns1.${domain}`, `ns2.${domain}`] },
      [`ns1.${domain}`]: { A: [places.first] },
      [`ns2.${domain}`]: { A: [places.second] },
    },
    second: {},
    states: { first: 'serves', second: 'serves' },
    serials: { first: 2026, second: 2026 },
    delegated: [`ns1.${domain}`, `ns2.${domain}`],
    isSigned: false,
    signing: { both: {}, second: {}, ds: 'own' },
    exists: true,
    world: Object.fromEntries(others),
    failsAt: [],
    resolver: { stale: {}, isBogus: false, bogusAt: [] },
    ttl: 300,
  };
}

function withRecord(before: NameRecords, { type, data }: WantedRecord): NameRecords {
  const words = data.split(' ');
  const number = (index: number) => Number(words[index]);
  const text = (index: number) => words[index] ?? '';
  const added = <T>(list: readonly T[] = [], one: T) => [...list, one];
  switch (type) {
    case 'A':
      return { ...before, A: added(before.A, data) };
    case 'AAAA':
      return { ...before, AAAA: added(before.AAAA, data) };
    case 'TXT':
      return { ...before, TXT: added(before.TXT, data.replace('; p=none;', '; p=quarantine;')) };
    case 'CNAME':
      return { ...before, CNAME: data };
    case 'PTR':
      return { ...before, PTR: added(before.PTR, data) };
    case 'MX':
      return { ...before, MX: added(before.MX, [number(0), text(1)] as const) };
    case 'TLSA':
      return { ...before, TLSA: added(before.TLSA, [number(0), number(1), number(2), text(3)] as const) };
    case 'SRV':
      return { ...before, SRV: added(before.SRV, [number(0), number(1), number(2), text(3)] as const) };
    case 'CAA': {
      const [, flags = '0', tag = 'issue', value = ''] = /^(\d+) (\w+) "(.*)"$/.exec(data) ?? [];
      return { ...before, CAA: added(before.CAA, [Number(flags), tag as 'issue', value] as const) };
    }
  }
}
