/**
 * A zone as a whole: who serves it, whether they all do and say the same, and what stands in it that spoils the rest. RFC 1912
 * §2 (common errors), RFC 2182 §5 (several servers), RFC 4592 (wildcards), RFC 4035 §5.5 (bogus).
 */

import { textsOf } from './answers.ts';
import type { Difference, DnsLooks } from './dns-looks.ts';
import { type Finding, found, good } from './finding.ts';
import type { NameServer, ZoneServers } from './name-servers.ts';

export interface ZoneParts {
  looks: DnsLooks;
  domain: string;
  /** A label that nobody has. */
  nobody: string;
}

/** To be asked first: where there is no zone, there is nothing else to say. */
export async function examineZone({ looks, domain, nobody }: ZoneParts): Promise<Finding[]> {
  const [zone, answer] = await Promise.all([looks.zoneOf(domain), looks.recurse(domain, 'SOA')]);
  if ('rcode' in answer && answer.rcode === 'SERVFAIL' && (await isBogus(looks, domain)))
    return [bogus(domain, zone)];
  if (zone === undefined) return [];
  const nowhere = (await looks.see(domain, 'SOA')).isNowhere;
  if (nowhere)
    return [
      found('zone-not-found', {
        evidence: `${domain} does not exist (NXDOMAIN of ${zone.name || 'the root'})`,
        remedy:
          'Look at the registrar: is the domain registered, paid for, not suspended, and are its name servers entered?',
      }),
    ];
  const findings = [
    ...serverFindings(zone),
    ...(await apexAlias(looks, domain)),
    ...(await wildcard(looks, domain, nobody)),
  ];
  return findings.length > 0 ? findings : [good('name servers', soundWords(zone))];
}

const soundWords = ({ name, servers, isSigned }: ZoneServers): string => {
  const hosts = new Set(servers.filter(({ state }) => state === 'sound').map(({ host }) => host));
  const signed = isSigned === undefined ? '' : isSigned ? '; signed (DNSSEC)' : '; not signed (DNSSEC)';
  return hosts.size === 0
    ? `which servers have the zone ${name} is not known`
    : `${[...hosts].join(', ')} have the zone ${name}${signed}`;
};

/** Without the check of signatures there is an answer. */
async function isBogus(looks: DnsLooks, domain: string): Promise<boolean> {
  const unchecked = await looks.recurse(domain, 'SOA', true);
  return 'rcode' in unchecked && unchecked.rcode === 'NOERROR';
}

const bogus = (domain: string, zone: ZoneServers | undefined): Finding =>
  found('dnssec-bogus', {
    evidence: `the resolver answers SERVFAIL for ${domain}, and has an answer once signatures are not checked${zone?.isSigned ? '; the parent has a DS record' : ''}`,
    remedy:
      'For everybody who checks signatures the domain is gone. Sign the zone anew; or, at once, have the DS record removed at the registrar, and wait until its TTL is over.',
  });

function serverFindings(zone: ZoneServers): Finding[] {
  const { name, servers, delegated, own, nameless } = zone;
  const findings: Finding[] = [];
  const isMute =
    servers.length > 0 && servers.every(({ state }) => state === 'silent' || state === 'unheard');
  if (isMute) return [mute(zone)];
  for (const server of servers) findings.push(...serverFinding(name, server));
  for (const host of nameless)
    findings.push(
      found('zone-server-no-address', {
        evidence: `${host} is named as a server of ${name}, and has no address`,
        remedy: 'Correct the name at the registrar and in the NS records of the zone.',
      }),
    );
  if (delegated !== undefined && own !== undefined && !sameSet(delegated, own))
    findings.push(
      found('zone-delegation-differs', {
        evidence: `the parent zone names ${delegated.join(', ')}, the zone itself ${own.join(', ')}`,
        remedy: 'Enter the same servers at the registrar as in the NS records of the zone.',
      }),
    );
  const hosts = new Set([...(delegated ?? []), ...(own ?? [])]);
  if (hosts.size === 1)
    findings.push(
      found('zone-one-server', {
        evidence: `${[...hosts][0]} alone has the zone ${name}`,
        remedy:
          'While it cannot be reached, mail for the domain waits, and mail from it is not trusted. Have a second one.',
      }),
    );
  return [...findings, ...serials(zone)];
}

/** Rather we than they: then there is only what the resolver says. */
const mute = ({ name, servers }: ZoneServers): Finding =>
  found('zone-silent-server', {
    evidence: `none of the servers of ${name} answers this machine: ${servers.map(({ host }) => host).join(', ')}`,
    remedy:
      'Does a firewall keep this machine from asking others than its resolver (UDP and TCP port 53 to the outside)? All else is said as the resolver has it, which may be old.',
    isUnknown: true,
  });

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.toSorted().join(' ') === b.toSorted().join(' ');

function serverFinding(zone: string, { host, address, state, why = '' }: NameServer): Finding[] {
  if (state === 'sound') return [];
  if (state === 'lame')
    return [
      found('zone-lame-server', {
        evidence: `${host} (${address}) is named as a server of ${zone}, but does not serve it: ${why}`,
        remedy: 'Let it serve the zone, or take it out: at the registrar, and of the NS records.',
      }),
    ];
  // This machine may have no IPv6 at all.
  if (state === 'unheard' && address.includes(':')) return [];
  return [
    found('zone-silent-server', {
      evidence: `${host} (${address}), a server of ${zone}, does not answer: ${why}`,
      remedy:
        'Whoever asks it first waits for seconds, or gives up. See whether it runs, and lets UDP and TCP port 53 in.',
    }),
  ];
}

function serials({ name, servers }: ZoneServers): Finding[] {
  const known = servers.filter(({ serial }) => serial !== undefined);
  if (new Set(known.map(({ serial }) => serial)).size < 2) return [];
  const words = known.map(({ host, serial }) => `${host}: ${serial}`).join(', ');
  return [
    found('zone-serials-differ', {
      evidence: `the servers of ${name} have different versions: ${words}`,
      remedy:
        'For some minutes after a change that is so. If it stays, the transfer between them does not work.',
    }),
  ];
}

async function apexAlias(looks: DnsLooks, domain: string): Promise<Finding[]> {
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

async function wildcard(looks: DnsLooks, domain: string, nobody: string): Promise<Finding[]> {
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

/** Seconds. */
const longTtl = 86_400;

export function longTtls(looks: DnsLooks, domain: string): Finding[] {
  const long = looks
    .all()
    .flatMap(({ records }) => records)
    .filter(({ name, ttl }) => ttl > longTtl && (name === domain || name.endsWith(`.${domain}`)));
  const [first] = long;
  if (first === undefined) return [];
  return [
    found('ttl-long', {
      evidence: `${first.type} of ${first.name} is kept for ${Math.round(first.ttl / 3600)} hours${long.length > 1 ? `, ${long.length - 1} others too` : ''}`,
      remedy: 'A mistake in it lasts as long. An hour (3600) is enough.',
    }),
  ];
}
