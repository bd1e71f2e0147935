/** Plants faults of DNS around a server that is as it is, and judges what the doctor makes of each. */

import { reverseName } from '../dns/reverse.ts';
import type { PlacedFinding } from '../doctor/watch.ts';
import { wantedRecords } from '../records/wanted.ts';
import type { RecordFacts } from '../records/wanted-record.ts';
import type { Fault, Planting } from './dns-faults/fault.ts';
import type { DnsPlaces, Records } from './dns-stage.ts';
import { rightModel } from './right-model.ts';

/** Whose mail servers are tried, to see whether port 25 is open. */
export const reachedDomain = 'reach.example';
/** A block list that works. */
export const blockList = 'bl.example';

/** A right model, of the first of the domains. */
export function plantingOf(facts: RecordFacts, places: DnsPlaces): Planting {
  const [domain] = facts.domains;
  // Where there is none, no fault of it can be planted.
  const four = facts.addresses.find((address) => !address.includes(':')) ?? places.nobody;
  if (domain === undefined) throw new Error('no domain');
  const six = facts.addresses.find((address) => address.includes(':'));
  const selector = domain.dkim.find(({ type }) => type === 'rsa')?.selector ?? '';
  const model = rightModel(domain.name, wantedRecords(facts), places);
  return {
    ...model,
    world: { ...model.world, ...worldRecords(facts.addresses) },
    hostname: facts.hostname,
    places,
    four,
    ...(six !== undefined && { six }),
    selector,
    tlsKeys: facts.tlsKeys.map(({ sha256 }) => sha256),
  };
}

/** What else the world holds: a block list, a receiver (who is ourselves, in truth), domains that faults speak of. */
const worldRecords = (addresses: readonly string[]): Records => ({
  [`2.0.0.127.${blockList}`]: { A: ['127.0.0.2'] },
  [`${reverseName('::ffff:7f00:2').replace('.ip6.arpa', '')}.${blockList}`]: { A: ['127.0.0.2'] },
  [reachedDomain]: { MX: [[10, `mx.${reachedDomain}`]] },
  [`mx.${reachedDomain}`]: {
    A: addresses.filter((address) => !address.includes(':')),
    AAAA: addresses.filter((address) => address.includes(':')),
  },
  'news.example': { TXT: ['v=spf1 ip4:198.51.100.8 -all'] },
  'old.example': { A: ['198.51.100.9'] },
  'shop.example': { A: ['198.51.100.10'] },
});

/** Notes are advice. */
export const alarmsIn = (found: readonly PlacedFinding[]): PlacedFinding[] =>
  found.filter(({ severity }) => severity !== 'note');

/** What is wrong with what was found; undefined if nothing is: the fault, what follows from it, and nothing else. */
export function judge(fault: Fault, found: readonly PlacedFinding[]): string | undefined {
  const told = found.map((each) => `${each.id}: ${each.evidence}`).join('\n');
  const ids = new Set(found.map(({ id }) => id));
  const expected = new Set([fault.id, ...(fault.also ?? [])]);
  const missing = [...expected].filter((id) => !ids.has(id));
  if (missing.length > 0) return `not found: ${missing.join(', ')}; but:\n${told}`;
  const alarms = alarmsIn(found).filter(({ id }) => id === undefined || !expected.has(id));
  if (alarms.length > 0) return `false alarm: ${alarms.map(({ id }) => id).join(', ')}:\n${told}`;
  const own = found.filter(({ id }) => id === fault.id);
  const words = own.map(({ evidence, remedy, record }) => `${evidence} ${remedy} ${record}`).join('\n');
  if (fault.says && !fault.says.test(words)) return `does not say ${fault.says}:\n${words}`;
  return undefined;
}
