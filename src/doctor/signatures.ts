/**
 * The signatures of a zone (DNSSEC): does the parent name a key that the zone has, does that key sign the zone's keys, and those its
 * records, and for how long still? Who checks signatures finds nothing in a zone where one of that is wrong. RFC 4035 §5,
 * RFC 6781 §4.3 (changes of keys).
 */

import {
  type DnsKey,
  type DsRecord,
  dsOf,
  isNamedBy,
  type SetVerdict,
  typeNumbers,
  verdictOn,
} from '../dns/dnssec.ts';
import type { KeysSeen, Unproven } from './contradictions.ts';
import type { DnsLooks } from './dns-looks.ts';
import { type Finding, found } from './finding.ts';
import type { ZoneServers } from './name-servers.ts';

/** Of RFC 4509: what registrars want today. */
const sha256 = 2;

/** What is wrong with the chain into the zone. Empty: nothing, or it is not known. */
export async function examineChain(looks: DnsLooks, zone: ZoneServers, now: number): Promise<Finding[]> {
  const seen = await looks.keysOf(zone);
  const keys = unlike(seen.flatMap((each) => each.keys));
  if (seen.length === 0 || zone.isSigned === undefined) return [];
  if (!zone.isSigned) return keys.length === 0 ? [] : [unannounced(zone, keys)];
  const keyless = seen.filter((each) => each.keys.length === 0);
  if (keyless.length > 0) return [unsigned(zone, keyless)];
  const named = keys.filter((key) => zone.ds.some((ds) => isNamedBy(key, ds) !== false));
  if (named.length === 0) return [otherKey(zone, keys)];
  return seen.flatMap((each) => judgeKeys(zone, { seen: each, named, now })).slice(0, 1);
}

const unlike = (keys: readonly DnsKey[]): DnsKey[] => [
  ...new Map(keys.map((key) => [key.data.toString('latin1'), key])).values(),
];

const tagsOf = (keys: readonly { tag: number }[]): string =>
  [...new Set(keys.map(({ tag }) => tag))].join(', ');

/** DS records for the keys that were made for it; where none was, for all. */
export function dsLines({ name }: Pick<ZoneServers, 'name'>, keys: readonly DnsKey[]): string {
  const entries = keys.filter(({ isEntry }) => isEntry);
  return (entries.length > 0 ? entries : keys)
    .flatMap((key) => dsOf(key, sha256) ?? [])
    .map((ds) => `${name}.  3600  IN  DS  ${textOf(ds)}`)
    .join('\n');
}

const textOf = ({ tag, algorithm, digestType, digest }: DsRecord): string =>
  `${tag} ${algorithm} ${digestType} ${digest}`;

const unannounced = (zone: ZoneServers, keys: readonly DnsKey[]): Finding =>
  found('dnssec-no-ds', {
    evidence: `${zone.name} is signed, by key ${tagsOf(keys)}, but its parent zone has no DS record: nobody checks the signatures`,
    remedy:
      'Where DNSSEC is wanted (DANE needs it), enter this at the registrar, in the part for DNSSEC. Where it is not, nothing is wrong.',
    record: dsLines(zone, keys),
  });

const gone = 'For everybody who checks signatures, as the large resolvers do, the domain is gone.';

const unsigned = (zone: ZoneServers, keyless: readonly KeysSeen[]): Finding =>
  found('dnssec-ds-mismatch', {
    evidence: `the parent of ${zone.name} has a DS record (${zone.ds.map(textOf).join('; ')}), which says that the zone is signed; ${keyless.map(({ host }) => host).join(', ')} has it without signatures`,
    remedy: `${gone} That is so after a move to other name servers. Have the DS record removed at the registrar, now; or have the zone signed, and enter the new DS record.`,
  });

const otherKey = (zone: ZoneServers, keys: readonly DnsKey[]): Finding =>
  found('dnssec-ds-mismatch', {
    evidence: `the DS record at the parent of ${zone.name} is of key ${tagsOf(zone.ds)} (${zone.ds.map(textOf).join('; ')}); the zone is signed by key ${tagsOf(keys)}, to which it does not fit`,
    remedy: `${gone} Replace the DS record at the registrar by this one.`,
    record: dsLines(zone, keys),
  });

/** The set of keys has to be signed by one that the parent names. */
function judgeKeys(
  zone: ZoneServers,
  { seen, named, now }: { seen: KeysSeen; named: readonly DnsKey[]; now: number },
): Finding[] {
  if (seen.set === undefined) return [];
  const verdict = verdictOn(seen.set, named, now);
  if (verdict.kind === 'unknown') return [];
  if (verdict.kind === 'proven') return soonOver(zone, verdict, now);
  return [
    unprovenFinding([{ zone: zone.name, name: zone.name, type: seen.set.type, verdict, host: seen.host }]),
  ];
}

const hourMs = 3_600_000;
/** Signatures of some days are made anew each day; of longer ones the last tenth is not reached by who makes them in time. */
const leastLifeMs = 7 * 24 * hourMs;

function soonOver(
  { name }: ZoneServers,
  { signature }: Extract<SetVerdict, { kind: 'proven' }>,
  now: number,
): Finding[] {
  const lifeMs = ((signature.expiration - signature.inception) | 0) * 1000;
  const leftMs = ((signature.expiration - Math.floor(now / 1000)) | 0) * 1000;
  if (lifeMs < leastLifeMs || leftMs > lifeMs / 10) return [];
  return [
    found('dnssec-expires', {
      evidence: `the signature over the keys of ${name} ends at ${timeText(now + leftMs)}, in ${Math.floor(leftMs / hourMs)} hours, and should have been made anew by now`,
      remedy:
        'See whether what signs the zone still runs. When it is over, the domain is gone for all who check.',
    }),
  ];
}

const timeText = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

const typeNames = new Map(Object.entries(typeNumbers).map(([name, number]) => [number as number, name]));

const placeOf = ({ name, type }: Unproven): string => `${typeNames.get(type) ?? `TYPE${type}`} of ${name}`;

/** Records that are not proven, those that have the same trouble together. */
export function unprovenFindings(unproven: readonly Unproven[]): Finding[] {
  // Where it is known what is wrong, it need not be said that the resolver minds it.
  const explained = new Set(unproven.filter(({ verdict }) => verdict).map(placeOf));
  const told = unproven.filter((each) => each.verdict !== undefined || !explained.has(placeOf(each)));
  const groups = Map.groupBy(told, ({ zone, verdict }) => `${zone} ${verdict?.kind}`);
  return [...groups.values()].map((group) => unprovenFinding(group));
}

const shownPlaces = 3;

function unprovenFinding(group: readonly Unproven[]): Finding {
  const places = [...new Set(group.map(placeOf))];
  const more = places.length > shownPlaces ? ` and ${places.length - shownPlaces} more` : '';
  const hosts = [...new Set(group.map(({ host }) => host))].join(', ');
  const where = `${places.slice(0, shownPlaces).join(', ')}${more}, as ${hosts} has it`;
  const verdict = group[0]?.verdict;
  const isOld = verdict?.kind === 'expired' || verdict?.kind === 'early';
  return found(isOld ? 'dnssec-expired' : 'dnssec-bogus', {
    evidence: `${where}: ${troubleWords(verdict)}`,
    remedy: `Who checks signatures does not find it. ${remedies[verdict?.kind ?? 'refused']}`,
  });
}

function troubleWords(verdict: Unproven['verdict']): string {
  switch (verdict?.kind) {
    case 'expired':
      return `its signature has expired at ${timeText(verdict.at)}`;
    case 'early':
      return `its signature is valid from ${timeText(verdict.at)} on`;
    case 'unsigned':
      return 'it has no signature, in a zone that is signed';
    case 'broken':
      return verdict.isKeyMissing
        ? `it is signed by key ${verdict.tag}, which is none of the zone's`
        : `its signature is wrong: the record is not what was signed by key ${verdict.tag}`;
    case undefined:
      return 'it answers SERVFAIL, and has an answer once signatures are not checked';
  }
}

const remedies = {
  expired:
    'See whether what signs the zone still runs, and has the zone sent to all servers; at once, have the zone signed anew.',
  early: 'Is the clock right, of this machine and of what signs the zone?',
  unsigned: 'Have the whole zone signed anew, and see that no server has a copy from before.',
  broken:
    'Have the whole zone signed anew: it was changed after it was signed, or by something that does not sign.',
  refused: 'Have the whole zone signed anew; to find out more, put the name into a tool such as dnsviz.net.',
} as const;
