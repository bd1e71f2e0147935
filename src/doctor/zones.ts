/**
 * A zone as a whole: who serves it, and whether they all do. RFC 1912 §2 (common errors), RFC 2181 §10.3 (aliases), RFC 2182 §5
 * (several servers), RFC 4035 §5.5 (bogus), RFC 7766 §5 (TCP).
 */

import { findCanonicalIp } from '../dns/ip.ts';
import type { DnsLooks } from './dns-looks.ts';
import { type Finding, found, good } from './finding.ts';
import type { NameServer, ZoneServers } from './name-servers.ts';
import { examineChain } from './signatures.ts';
import { apexAlias, wildcard } from './zone-records.ts';

export interface ZoneParts {
  looks: DnsLooks;
  domain: string;
  /** A label that nobody has. */
  nobody: string;
  /** Milliseconds since 1970. */
  now: number;
}

/** To be asked first: where there is no zone, there is nothing else to say. */
export async function examineZone({ looks, domain, nobody, now }: ZoneParts): Promise<Finding[]> {
  const [zone, answer] = await Promise.all([looks.zoneOf(domain), looks.recurse(domain, 'SOA')]);
  const chain = zone === undefined ? [] : await examineChain(looks, zone, now);
  if (chain.some(({ severity }) => severity === 'error')) return chain;
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
    ...chain,
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
  const { name, servers, delegated, own } = zone;
  const findings: Finding[] = [];
  const isMute =
    servers.length > 0 && servers.every(({ state }) => state === 'silent' || state === 'unheard');
  if (isMute) return [mute(zone)];
  for (const server of servers) findings.push(...serverFinding(name, server));
  findings.push(...nameFindings(zone), ...tcpFindings(zone));
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

function nameFindings({ name, nameless, aliases }: ZoneServers): Finding[] {
  return [
    ...nameless.map((host) =>
      found('zone-server-no-address', {
        evidence: `${host} is named as a server of ${name}, and has no address`,
        remedy:
          findCanonicalIp(host) === undefined
            ? 'Correct the name at the registrar and in the NS records of the zone.'
            : 'An NS record holds the name of the server, not its address: give it a name, and enter that at the registrar and in the zone.',
      }),
    ),
    ...aliases.map(({ host, target }) =>
      found('zone-server-alias', {
        evidence: `${host} is named as a server of ${name}, and is an alias (CNAME) of ${target}`,
        remedy: `Some resolvers do not follow it (RFC 2181 §10.3): name ${target} itself, or give ${host} an address.`,
      }),
    ),
  ];
}

function tcpFindings({ name, servers }: ZoneServers): Finding[] {
  const sound = servers.filter(({ state }) => state === 'sound');
  const deaf = sound.filter(({ tcp }) => tcp !== undefined);
  const [first] = deaf;
  if (first === undefined) return [];
  const hosts = deaf.map(({ host, address }) => `${host} (${address})`).join(', ');
  const remedy =
    'Long answers (DKIM keys, signatures) come over TCP, and are lost. Let its firewall take TCP port 53, too.';
  return [
    found('zone-no-tcp', {
      evidence: `${hosts}, of the servers of ${name}, answers over UDP, but not over TCP: ${first.tcp}`,
      remedy:
        deaf.length < sound.length
          ? remedy
          : `${remedy} Or does a firewall keep this machine from TCP port 53 of others? Then there is nothing to mend at theirs.`,
    }),
  ];
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
