/**
 * What stands in a zone and spoils the rest, and where its servers and the resolver contradict each other. RFC 1034 §3.6.2 (aliases),
 * RFC 4592 (wildcards), RFC 8020 (names above others).
 */

import { textsOf } from './answers.ts';
import type { Difference } from './contradictions.ts';
import type { DnsLooks } from './dns-looks.ts';
import { type Finding, found } from './finding.ts';

export async function apexAlias(looks: DnsLooks, domain: string): Promise<Finding[]> {
  const seen = await looks.see(domain, 'CNAME');
  if (seen.status !== 'found') return [];
  return [
    found('zone-apex-alias', {
      evidence: `${domain} is an alias (CNAME) of ${textsOf(seen)[0]}`,
      remedy:
        'An alias has no other records: MX and SPF of the domain are lost. Put A and AAAA records, or what the provider calls ALIAS, in its place.',
    }),
  ];
}

export async function wildcard(looks: DnsLooks, domain: string, nobody: string): Promise<Finding[]> {
  const name = `${nobody}.${domain}`;
  const seen = await Promise.all((['TXT', 'MX', 'A'] as const).map((type) => looks.see(name, type)));
  const caught = seen.filter(({ status }) => status === 'found');
  const [first] = caught;
  if (first === undefined) return [];
  const types = caught.map(({ type }) => type).join(', ');
  const isHarmless = caught.every(({ type }) => type === 'A');
  return [
    found('zone-wildcard', {
      evidence: `*.${domain} gives ${types} records to every name, such as ${textsOf(first)[0]?.slice(0, 80)}`,
      remedy: isHarmless
        ? 'Usual for web sites; but mta-sts, autoconfig and typing errors lead there, too.'
        : 'Names that are asked for by mail (selectors, _dmarc, _mta-sts) have records that nobody meant. Remove it.',
      ...(isHarmless && { severity: 'note' }),
    }),
  ];
}

/** What came up while everything else was looked at. */
export function disagreements({
  differences,
  outdated,
}: Pick<DnsLooks, 'differences' | 'outdated'>): Finding[] {
  const findings = differences.map(differenceFinding);
  if (outdated.length > 0) {
    const ttl = Math.max(...outdated.map((each) => each.ttl));
    const names = outdated.map(
      ({ name, type, texts }) =>
        `${type} of ${name} (${texts.length === 0 ? 'nothing' : texts[0]?.slice(0, 60)})`,
    );
    findings.push(
      found('resolver-outdated', {
        evidence: `the resolver has other data than the zone: ${names.slice(0, 4).join(', ')}${names.length > 4 ? ` and ${names.length - 4} more` : ''}`,
        remedy: `After a change that is so until the old data is forgotten, ${ttl} seconds at most. If it stays, the resolver filters or forges.`,
      }),
    );
  }
  return findings;
}

function differenceFinding({ name, type, versions }: Difference): Finding {
  const words = versions.map(
    ({ servers, texts }) =>
      `${servers.join(', ')}: ${texts.length === 0 ? 'nothing' : texts.join(', ').slice(0, 80)}`,
  );
  return found('zone-servers-differ', {
    evidence: `${type} of ${name}: ${words.join('; ')}`,
    remedy: 'Half of the world sees the one, half the other. All servers must have the same zone.',
  });
}

/**
 * A name that has nothing but names below it exists all the same (RFC 8020 §2): resolvers that ask label by label go no further than
 * a name that is said not to exist.
 */
export async function hiddenNames(looks: DnsLooks, domain: string): Promise<Finding[]> {
  const names = [`_domainkey.${domain}`, `_tls.${domain}`];
  const denied = await Promise.all(
    names.map(async (name) => ((await looks.see(name, 'TXT')).isNowhere ? name : undefined)),
  );
  const there = looks.all().filter(({ status }) => status === 'found');
  for (const name of denied) {
    const below = there.find((seen) => name !== undefined && seen.name.endsWith(`.${name}`));
    if (below === undefined) continue;
    return [
      found('zone-hides-names', {
        evidence: `the servers say that ${name} does not exist (NXDOMAIN), and have ${below.name}, which is below it`,
        remedy:
          'Resolvers that ask label by label stop there, and do not find the rest. It is a fault of the DNS software (RFC 8020): tell your provider, or take the zone elsewhere.',
      }),
    ];
  }
  return [];
}

/** Seconds. */
const longTtl = 86_400;

export function unusualTtls(looks: DnsLooks, domain: string): Finding[] {
  const records = looks
    .all()
    .flatMap(({ records }) => records)
    .filter(({ name }) => name === domain || name.endsWith(`.${domain}`));
  const long = records.filter(({ ttl }) => ttl > longTtl);
  const unkept = records.filter(({ ttl }) => ttl === 0);
  const others = (count: number) => (count > 1 ? `, ${count - 1} others too` : '');
  return [
    ...long.slice(0, 1).map(({ name, type, ttl }) =>
      found('ttl-long', {
        evidence: `${type} of ${name} is kept for ${Math.round(ttl / 3600)} hours${others(long.length)}`,
        remedy: 'A mistake in it lasts as long. An hour (3600) is enough.',
      }),
    ),
    ...unkept.slice(0, 1).map(({ name, type }) =>
      found('ttl-zero', {
        evidence: `${type} of ${name} has a TTL of 0: nobody keeps it${others(unkept.length)}`,
        remedy:
          'Each message asks anew, and finds nothing whenever a server is slow. Give it an hour (3600).',
      }),
    ),
  ];
}
