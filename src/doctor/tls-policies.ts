/**
 * MTA-STS and TLS reports: what is announced, the policy that is served, and whether the two and the MX records agree. RFC 8461
 * §3, §4.1; RFC 8460 §3.
 */

import { allowsHost, type StsPolicy } from '../mta-sts/policy.ts';
import { readPolicyId } from '../mta-sts/record.ts';
import type { FetchedPolicy, PolicyFailure } from '../net/fetch-policy.ts';
import type { DomainFacts, WantedRecord } from '../records/wanted-record.ts';
import { readReportUris } from '../tls-rpt/record.ts';
import { textsOf } from './answers.ts';
import type { DnsLooks } from './dns-looks.ts';
import { type Finding, found, good, quote } from './finding.ts';
import { findMisplaced, placeRemedy } from './misplaced.ts';

export interface TlsPolicyParts {
  looks: DnsLooks;
  domain: string;
  /** The announcement; absent: it is not to be published. */
  announcement: WantedRecord | undefined;
  /** Of the host that the policy is fetched from, where it is to lead here. */
  host?: WantedRecord | undefined;
  /** The policy that is served here, as the records know it; absent: none is. */
  served?: DomainFacts['sts'] | undefined;
  fetchPolicy(domain: string): Promise<FetchedPolicy | PolicyFailure>;
  /** Hosts of the MX records. */
  hosts: readonly string[];
}

/** Shorter, and an attacker needs only wait (RFC 8461 §3.2 speaks of weeks). */
const leastMaxAge = 86_400;

export async function examineSts(parts: TlsPolicyParts): Promise<Finding[]> {
  const { looks, domain, announcement, served } = parts;
  const name = `_mta-sts.${domain}`;
  const seen = await looks.see(name, 'TXT');
  const texts = textsOf(seen);
  const isExpected = announcement !== undefined && announcement.notYet === undefined;
  if (seen.status === 'unknown') return [];
  if (texts.length === 0 && !isExpected)
    return served?.lack === undefined ? [] : [notYet(announcement, served.lack)];
  if (texts.length === 0 && announcement !== undefined) return [await unannounced(parts, announcement)];
  const id = readPolicyId(texts);
  if (id === undefined)
    return [
      found('mta-sts-syntax', {
        evidence: `${texts.map((text) => quote(text)).join(' and ')} at ${name}: ${stsProblem(texts)}`,
        remedy: 'Senders take it for none. Replace it by this one.',
        record: announcement ?? { name, type: 'TXT', data: 'v=STSv1; id=1' },
      }),
    ];
  const fetched = await parts.fetchPolicy(domain);
  if ('problem' in fetched) return [unfetched(fetched, parts)];
  const findings = [...judgePolicy(parts, fetched.policy), ...judgeId(parts, id)];
  return findings.length > 0 ? findings : [good('MTA-STS', `policy ${id} allows ${parts.hosts.join(', ')}`)];
}

async function unannounced(
  { looks, domain, served }: TlsPolicyParts,
  wanted: WantedRecord,
): Promise<Finding> {
  const misplaced = await findMisplaced(looks, wanted, {
    names: [`mta-sts.${domain}`, `_mta_sts.${domain}`, `_mta-sts._tcp.${domain}`],
    isIt: (text) => readPolicyId([text]) !== undefined,
  });
  const { name } = wanted;
  return found('mta-sts-missing', {
    evidence: missingAt(name, misplaced),
    remedy:
      misplaced === undefined
        ? `Senders do not ask for the policy that is served. Enter it.${beginning(served)}`
        : placeRemedy(wanted, misplaced),
    record: wanted,
  });
}

function stsProblem(texts: readonly string[]): string {
  if (texts.filter((text) => /^v=STSv1/i.test(text)).length > 1) return 'there are several';
  return 'it has to be "v=STSv1; id=" and up to 32 letters and digits';
}

/** Absent, as it has to be: senders take no policy from a host whose certificate is not valid (RFC 8461 §3.3). */
const notYet = (announcement: WantedRecord | undefined, lack: string): Finding =>
  found('mta-sts-not-yet', { evidence: lack, remedy: 'Then enter this record.', record: announcement });

const beginning = (served: TlsPolicyParts['served']): string => {
  if (served?.mode === 'testing') return ' The policy is in mode testing, as it has to be at first.';
  if (served?.mode === 'enforce')
    return ' Set mtaSts = { mode = "testing" } first, and "enforce" when no failure was reported for some weeks.';
  return '';
};

function unfetched({ problem, type }: PolicyFailure, { served, host, domain }: TlsPolicyParts): Finding {
  const name = `mta-sts.${domain}`;
  if (type === 'sts-webpki-invalid')
    return found('mta-sts-certificate', {
      evidence: problem,
      remedy:
        served?.lack === undefined
          ? `The host ${name} needs a certificate of a public authority for its name.${leadHere(host)}`
          : `It was announced too early: ${served.lack} Senders report failures until then; or take the record away.`,
      // Whoever only tests delivers all the same.
      ...(served?.lack !== undefined && served.mode !== 'enforce' && { severity: 'warning' }),
    });
  const id = type === 'sts-policy-invalid' ? 'mta-sts-policy-syntax' : 'mta-sts-no-policy';
  const otherwise =
    id === 'mta-sts-policy-syntax'
      ? 'Serve it as text/plain, with version, mode, mx and max_age, one a line.'
      : `Serve the policy at https://${name}/.well-known/mta-sts.txt itself, without a redirect, or remove the record at _mta-sts.${domain}.`;
  return found(id, {
    evidence: problem,
    remedy: host === undefined ? otherwise : `Senders take it for no policy.${leadHere(host)}`,
    record: host,
  });
}

/** Where the policy is served here, another machine has been asked for it, or nobody. */
const leadHere = (host: WantedRecord | undefined): string =>
  host === undefined
    ? ''
    : ` This server has the policy: let ${host.name} lead here, and see that port 443 of it is open to the outside.`;

function judgePolicy({ hosts, domain }: TlsPolicyParts, policy: StsPolicy): Finding[] {
  const findings: Finding[] = [];
  const refused = policy.mode === 'none' ? [] : hosts.filter((host) => !allowsHost(policy, host));
  if (refused.length > 0)
    findings.push(
      found('mta-sts-mx-differs', {
        evidence: `the policy of ${domain} allows ${policy.mx.join(', ')}, but mail goes to ${refused.join(', ')}`,
        remedy:
          policy.mode === 'enforce'
            ? `Senders do not deliver there. Add "mx: ${refused[0]}" to the policy, and change its id.`
            : `Senders report it as a failure. Add "mx: ${refused[0]}" to the policy, and change its id.`,
      }),
    );
  if (policy.mode !== 'none' && policy.maxAge < leastMaxAge)
    findings.push(
      found('mta-sts-short', {
        evidence: `max_age is ${policy.maxAge} seconds`,
        remedy: 'An attacker needs only wait until it is forgotten: make it a week (604800) at least.',
      }),
    );
  if (policy.mode === 'testing' && findings.length === 0)
    findings.push(
      found('mta-sts-not-enforced', {
        evidence: 'mode is testing: failures are reported, and mail is delivered all the same',
        remedy: 'When `posthorn reports tls` shows no failure for some weeks, make it enforce.',
      }),
    );
  return findings;
}

/** We know which id belongs to the policy only where we serve it. */
function judgeId({ announcement }: TlsPolicyParts, id: string): Finding[] {
  if (announcement === undefined || announcement.notYet !== undefined) return [];
  const wanted = readPolicyId([announcement.data]);
  if (wanted === undefined || wanted === id) return [];
  return [
    found('mta-sts-id-unchanged', {
      evidence: `the record announces policy ${id}; the one that is served has the id ${wanted}`,
      remedy: 'Senders that have the old policy keep it until the id changes.',
      record: announcement,
    }),
  ];
}

export interface TlsReportExamined {
  findings: Finding[];
  reportsTo: readonly string[];
}

export async function examineTlsReports(looks: DnsLooks, wanted: WantedRecord): Promise<TlsReportExamined> {
  const seen = await looks.see(wanted.name, 'TXT');
  if (seen.status === 'unknown') return { findings: [], reportsTo: [] };
  const texts = textsOf(seen);
  const uris = readReportUris(texts);
  const reportsTo = uris
    .filter((uri) => /^mailto:/i.test(uri))
    .map((uri) => decodeURI(uri.slice('mailto:'.length).replace(/\?.*/s, '')));
  if (uris.length > 0) return { findings: [good('TLS reports', `go to ${uris.join(', ')}`)], reportsTo };
  if (texts.length === 0) return { findings: [await noReports(looks, wanted)], reportsTo: [] };
  return {
    findings: [
      found('tls-rpt-syntax', {
        evidence: `${texts.map((text) => quote(text)).join(' and ')} at ${wanted.name}: ${texts.length > 1 ? 'there are several' : 'it has to be "v=TLSRPTv1; rua=" and a mailto: or https: address'}`,
        remedy: 'Nobody reports anything. Replace it by this one.',
        record: wanted,
      }),
    ],
    reportsTo: [],
  };
}

async function noReports(looks: DnsLooks, wanted: WantedRecord): Promise<Finding> {
  const { name, domain } = wanted;
  const misplaced = await findMisplaced(looks, wanted, {
    names: ['_tls._smtp', '_tls', '_smtp', '_smtp-tls', 'smtp._tls', '_smtp.tls'].map(
      (label) => `${label}.${domain}`,
    ),
    isIt: (text) => readReportUris([text]).length > 0,
  });
  return found('tls-rpt-missing', {
    evidence: missingAt(name, misplaced),
    remedy:
      misplaced === undefined
        ? 'Without it you do not hear that others fail to encrypt mail to you.'
        : placeRemedy(wanted, misplaced),
    record: wanted,
    ...(wanted.need === 'optional' && { severity: 'note' }),
  });
}

const missingAt = (name: string, misplaced: string | undefined): string =>
  misplaced === undefined
    ? `there is no record at ${name}`
    : `the record stands at ${misplaced} instead of ${name}`;
