/**
 * Which DNS records this server wants to see published, for all its domains: the one list that is printed for people,
 * entered by them, and compared by the doctor with what DNS says. Pure: all that it depends on is in the facts.
 */

import { domainRecords } from './domain-records.ts';
import { hostRecords } from './host-records.ts';
import { reverseRecords } from './reverse-records.ts';
import type { RecordFacts, WantedRecord } from './wanted-record.ts';

export type { RecordFacts, RecordPurpose, WantedRecord } from './wanted-record.ts';

/** Those of the host first, then domain by domain in the order of the configuration, then those for the provider. */
export function wantedRecords(facts: RecordFacts): WantedRecord[] {
  const records = [
    ...hostRecords(facts),
    ...facts.domains.flatMap((domain) => domainRecords(domain, facts)),
    ...reverseRecords(facts),
  ];
  return withoutCopies(records);
}

/** Of those that matter to one domain: its own, those of the host that serves it, and those for the provider. */
export function recordsFor(domain: string, facts: RecordFacts): WantedRecord[] {
  return wantedRecords({ ...facts, domains: facts.domains.filter(({ name }) => name === domain) });
}

/** A domain's own name may be that of the host, too: what both want, such as an SPF record, is there once: the domain's. */
function withoutCopies(records: readonly WantedRecord[]): WantedRecord[] {
  const isSpf = ({ purpose }: WantedRecord) => purpose === 'spf';
  const key = ({ name, type, data }: WantedRecord) => `${name} ${type} ${data}`;
  const lastSpf = new Map(records.filter(isSpf).map((record) => [record.name, record]));
  const first = new Map(records.toReversed().map((record) => [key(record), record]));
  return records.filter((record) =>
    isSpf(record) ? lastSpf.get(record.name) === record : first.get(key(record)) === record,
  );
}
