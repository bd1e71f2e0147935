/** The addresses of the names by which this server is known: those that it has, all of them and no others. */

import { addressClass } from '../net/addresses.ts';
import type { WantedRecord } from '../records/wanted-record.ts';
import { comparable, textsOf } from './answers.ts';
import type { DnsLooks } from './dns-looks.ts';
import { type Finding, found, good, sentence } from './finding.ts';
import { findMisplaced, placeRemedy } from './misplaced.ts';

export interface AddressParts {
  looks: DnsLooks;
  /** All that are to be published for one name. */
  wanted: readonly WantedRecord[];
  /** Loopback and private addresses are as good as others; for tests and intranets. */
  allowPrivate: boolean;
}

export async function examineAddresses({ looks, wanted, allowPrivate }: AddressParts): Promise<Finding[]> {
  const name = wanted[0]?.name ?? '';
  const seen = await Promise.all((['A', 'AAAA'] as const).map((type) => looks.see(name, type)));
  const published = new Map<string, string[]>(seen.map((each) => [each.type, textsOf(each)]));
  const ours = new Set(wanted.map(comparable));
  const unknown = seen.find(({ status }) => status === 'unknown');
  const findings: Finding[] = [];
  if (unknown === undefined)
    for (const record of wanted)
      if (!published.get(record.type)?.includes(comparable(record))) {
        const misplaced = await findMisplaced(looks, record);
        findings.push(missing(record, { published: published.get(record.type) ?? [], ours, misplaced }));
      }
  for (const [type, addresses] of published)
    for (const address of addresses) {
      if (ours.has(address)) continue;
      findings.push(foreign(name, { type, address, allowPrivate }));
    }
  if (findings.length > 0) return findings;
  if (unknown !== undefined)
    return [
      found('address-unknown', {
        about: name,
        evidence: `${unknown.type} of ${name}: ${unknown.why}`,
        remedy: 'See whether the name servers of the domain answer; then try again.',
        isUnknown: true,
      }),
    ];
  return [good('address', `${name} leads to ${[...ours].join(', ')}`)];
}

interface Instead {
  published: readonly string[];
  ours: ReadonlySet<string>;
  misplaced: string | undefined;
}

function missing(record: WantedRecord, { published, ours, misplaced }: Instead): Finding {
  const { name, type, need } = record;
  const others = published.filter((address) => !ours.has(address));
  const instead =
    others.length > 0 ? `leads to ${others.join(', ')} instead` : `has no ${type} record with it`;
  return found('address-missing', {
    about: `${type} of ${name}`,
    evidence: `${name} ${instead}: this server has ${comparable(record)}${misplaced === undefined ? '' : `; the record stands at ${misplaced}`}`,
    remedy: misplaced === undefined ? sentence(record.why) : placeRemedy(record, misplaced),
    record,
    ...(need !== 'required' && { severity: 'warning' }),
  });
}

function foreign(
  name: string,
  { type, address, allowPrivate }: { type: string; address: string; allowPrivate: boolean },
): Finding {
  const kind = addressClass(address);
  if (kind !== 'public' && !allowPrivate)
    return found('address-private', {
      evidence: `${name} leads to ${address}, which is ${kind}: nobody outside can reach it`,
      remedy: 'Remove it, or put the public address in its place.',
    });
  return found('address-other', {
    evidence: `${name} leads to ${address}, which is not an address of this server`,
    remedy: `Mail that is sent there does not arrive here. Remove that ${type} record; or, if it is ours behind NAT, name it in [[source]] publicAddress.`,
  });
}
