/** Who takes mail for a domain, as MX records have it: this server, by a name of its own with addresses. RFC 5321 §5.1, RFC 2181 §10.3, RFC 7505. */

import { findCanonicalIp } from '../dns/ip.ts';
import type { WantedRecord } from '../records/wanted-record.ts';
import { comparable, exchangeOf, textsOf } from './answers.ts';
import type { DnsLooks } from './dns-looks.ts';
import { type Finding, found, good } from './finding.ts';
import { findMisplaced, placeRemedy } from './misplaced.ts';

export interface MxParts {
  looks: DnsLooks;
  wanted: WantedRecord;
  /** Of this server. */
  hostname: string;
}

export interface MxExamined {
  findings: Finding[];
  /** Names of hosts, the preferred ones first. */
  hosts: readonly string[];
}

export async function examineMx({ looks, wanted, hostname }: MxParts): Promise<MxExamined> {
  const { name } = wanted;
  const seen = await looks.see(name, 'MX');
  const only = (finding: Finding): MxExamined => ({ findings: [finding], hosts: [] });
  if (seen.status === 'unknown')
    return only(
      found('mx-unknown', {
        evidence: `MX of ${name}: ${seen.why}`,
        remedy: 'See whether the name servers of the domain answer; then try again.',
        isUnknown: true,
      }),
    );
  const texts = textsOf(seen).toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  const hosts = texts.map(exchangeOf);
  if (hosts.length === 0) return only(absence(wanted, await findMisplaced(looks, wanted)));
  if (hosts.includes('.'))
    return only(
      found('mx-null', {
        evidence: `${name} has a null MX ("0 ."): others refuse mail for it at once`,
        remedy: 'Replace it by this one.',
        record: wanted,
      }),
    );
  const judged = await Promise.all(hosts.map((host) => judgeHost({ looks, wanted, hostname }, host)));
  const findings = judged.flat();
  const isHere = hosts.includes(hostname);
  if (!isHere && findings.length === 0)
    findings.push(
      found('mx-other-host', {
        evidence: `mail for ${name} goes to ${hosts.join(', ')}, not to ${hostname}`,
        remedy: 'Let the MX record name this server.',
        record: wanted,
      }),
    );
  const others = hosts.filter((host) => host !== hostname);
  if (isHere && others.length > 0 && findings.length === 0)
    findings.push(
      found('mx-more-hosts', {
        evidence: `${others.join(', ')} take mail for ${name}, too`,
        remedy: 'Right, if they pass it on to this server; else remove them.',
      }),
    );
  return {
    findings: findings.length > 0 ? findings : [good('MX', `mail for ${name} goes to ${comparable(wanted)}`)],
    hosts,
  };
}

const absence = (wanted: WantedRecord, misplaced: string | undefined): Finding =>
  found('mx-missing', {
    evidence: `${wanted.name} has no MX record${misplaced === undefined ? '' : `: it stands at ${misplaced}`}`,
    remedy:
      misplaced === undefined
        ? 'Without one, mail goes to the address of the domain itself, if it has any.'
        : placeRemedy(wanted, misplaced),
    record: wanted,
  });

async function judgeHost({ looks, wanted, hostname }: MxParts, host: string): Promise<Finding[]> {
  const { name } = wanted;
  if (findCanonicalIp(host.replace(/^\[|\]$/g, '')) !== undefined)
    return [
      found('mx-address-literal', {
        evidence: `the MX record of ${name} holds the address ${host}`,
        remedy: 'It has to be a name: many senders do not deliver to an address.',
        record: wanted,
      }),
    ];
  const alias = await looks.see(host, 'CNAME');
  if (alias.status === 'found')
    return [
      found('mx-alias', {
        evidence: `the MX record of ${name} points to ${host}, which is an alias of ${textsOf(alias)[0]}`,
        remedy: 'An MX must not point to an alias (RFC 2181 §10.3): name the host itself.',
        record: wanted,
      }),
    ];
  const addresses = await Promise.all([looks.see(host, 'A'), looks.see(host, 'AAAA')]);
  if (!addresses.every(({ status }) => status === 'none')) return [];
  if (host === `${hostname}.${name}` || host.endsWith(`.${name}.${name}`))
    return [
      found('mx-doubled', {
        evidence: `the MX record of ${name} points to ${host}`,
        remedy: 'The domain was added to the name: end the name with a dot, or enter only its first part.',
        record: wanted,
      }),
    ];
  // That of our own is said to be missing where the host is looked at.
  if (host === hostname) return [];
  return [
    found('mx-nowhere', {
      evidence: `the MX record of ${name} points to ${host}, which has no address`,
      remedy: 'Correct the name.',
      record: wanted,
    }),
  ];
}
