/**
 * The look-ups behind the guard: what DNS says of one address of ours, as receivers will see it. Finds facts; what follows
 * from them is in history.ts.
 */

import { checkIprev } from '../../authentication/iprev.ts';
import { type LookUps, lookUps } from '../../authentication/look-ups.ts';
import { checkSpf } from '../../authentication/spf.ts';
import type { Resolver } from '../../dns/resolver.ts';
import { reverseName } from '../../dns/reverse.ts';
import { canonicalAddress, findFamily } from '../../net/addresses.ts';
import { askBlocklist } from './blocklists.ts';
import type { Finding } from './history.ts';

/** An address of ours, and what is to be true of it. */
export interface Subject {
  /** What we bind to. */
  address: string;
  /** What receivers see. */
  publicAddress: string;
  ehloName: string;
  /** Those of ours whose mail comes from it. */
  domains: readonly string[];
}

export interface ProbeParts {
  resolver: Resolver;
  /** DNS zones. */
  blocklists: readonly string[];
  /** Rejects where nothing can be sent from the address. */
  tryAddress: (address: string) => Promise<void>;
  signal: AbortSignal;
}

/** Domains whose SPF is looked at, one beside the other; how many come to their turn the signal limits. */
const domainsAtOnce = 20;
/** DNS questions for each domain and for each of the other checks; SPF itself needs no more (RFC 7208 §4.6.4). */
const maxQuestions = 60;

/**
 * What `probe()` finds about each of our addresses; where SPF of a domain does not permit several, the record to enter
 * permits them all.
 */
export async function probeAll(parts: ProbeParts, subjects: readonly Subject[]): Promise<Finding[][]> {
  const found = await Promise.all(subjects.map((subject) => probe(parts, subject)));
  const wanting = new Map<string, { published: string | undefined; addresses: string[] }>();
  for (const [index, { publicAddress }] of subjects.entries())
    for (const { subject: domain, spf } of found[index] ?? []) {
      if (spf === undefined) continue;
      const { published, addresses } = wanting.get(domain) ?? { published: spf.published, addresses: [] };
      wanting.set(domain, { published, addresses: [...addresses, publicAddress] });
    }
  return found.map((findings) =>
    findings.map(({ spf, ...finding }) => {
      const domain = wanting.get(finding.subject);
      if (spf === undefined || domain === undefined) return finding;
      return {
        ...finding,
        record: txtRecord(finding.subject, permitting(domain.published, domain.addresses)),
      };
    }),
  );
}

/** A string of a TXT record has 255 octets at most (RFC 1035 §3.3). */
const maxString = 255;

function txtRecord(domain: string, text: string): string {
  const strings = text.match(new RegExp(`.{1,${maxString}}`, 'g')) ?? [];
  return `${domain}. TXT ${strings.map((string) => `"${string}"`).join(' ')}`;
}

interface Probed extends Finding {
  /** There where the SPF record of the domain has to change. */
  spf?: { published: string | undefined };
}

/** All findings about an address, in a fixed order. */
async function probe(parts: ProbeParts, subject: Subject): Promise<Probed[]> {
  const { resolver, signal } = parts;
  const ask = () => lookUps(resolver, maxQuestions, signal);
  const findings = await Promise.all([
    probeAddress(parts, subject),
    probeReverse(ask(), subject),
    probeEhlo(ask(), subject),
    probeDomains(ask, subject),
    ...parts.blocklists.map((zone) => askBlocklist(ask(), subject.publicAddress, zone)),
  ]);
  return findings.flat();
}

async function probeAddress({ tryAddress }: ProbeParts, { address }: Subject): Promise<Finding> {
  const finding = { check: 'address', subject: '' } as const;
  try {
    await tryAddress(address);
    return { ...finding, result: 'good', evidence: `${address} is an address of this machine` };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ...finding, result: 'bad', evidence: `nothing can be sent from ${address}: ${reason}` };
  }
}

async function probeReverse(ask: LookUps, { publicAddress, ehloName }: Subject): Promise<Finding> {
  const { result, reason, names } = await checkIprev(ask, publicAddress);
  const finding = { check: 'reverse', subject: '', evidence: reason, ...(names && { names }) } as const;
  if (result === 'pass') return { ...finding, result: 'good' };
  if (result === 'temperror')
    return {
      ...finding,
      result: 'unknown',
      evidence: `the PTR record of ${publicAddress} is not known now: ${reason}`,
    };
  return { ...finding, result: 'bad', record: `${reverseName(publicAddress)}. PTR ${ehloName}.` };
}

async function probeEhlo(ask: LookUps, { publicAddress, ehloName }: Subject): Promise<Finding> {
  const type = findFamily(publicAddress) === 6 ? 'AAAA' : 'A';
  const answer = await ask.ask(ehloName, type);
  const finding = { check: 'ehlo', subject: ehloName } as const;
  if (answer.status === 'failed')
    return {
      ...finding,
      result: 'unknown',
      evidence: `${type} of ${ehloName} is not known now: ${answer.detail}`,
    };
  const addresses = answer.status === 'found' ? answer.records.map(canonicalAddress) : [];
  if (addresses.includes(canonicalAddress(publicAddress)))
    return { ...finding, result: 'good', evidence: `${ehloName} has the address ${publicAddress}` };
  const instead = addresses.length === 0 ? `has no ${type} record` : `leads to ${addresses.join(', ')}`;
  return {
    ...finding,
    result: 'bad',
    evidence: `our name ${ehloName} ${instead}; it must lead to ${publicAddress}`,
    record: `${ehloName}. ${type} ${publicAddress}`,
  };
}

async function probeDomains(ask: () => LookUps, subject: Subject): Promise<Probed[]> {
  const findings: Probed[] = [];
  for (let start = 0; start < subject.domains.length; start += domainsAtOnce) {
    const some = subject.domains.slice(start, start + domainsAtOnce);
    findings.push(...(await Promise.all(some.map((domain) => probeSpf(ask(), subject, domain)))));
  }
  return findings;
}

async function probeSpf(ask: LookUps, { publicAddress, ehloName }: Subject, domain: string): Promise<Probed> {
  const sender = { clientAddress: publicAddress, helo: ehloName, reversePath: `postmaster@${domain}` };
  const { result, reason } = await checkSpf(ask, sender);
  const finding = { check: 'spf', subject: domain, evidence: `SPF: ${reason}` } as const;
  if (result === 'pass') return { ...finding, result: 'good' };
  if (result === 'temperror') return { ...finding, result: 'unknown' };
  if (result === 'permerror')
    return { ...finding, result: 'absent', evidence: `SPF of ${domain}: ${reason}` };
  const spf = { published: await spfRecord(ask, domain) };
  return { ...finding, result: result === 'none' ? 'absent' : 'bad', spf };
}

async function spfRecord(ask: LookUps, domain: string): Promise<string | undefined> {
  const answer = await ask.ask(domain, 'TXT');
  const texts = answer.status === 'found' ? answer.records.map((strings) => [strings].flat().join('')) : [];
  return texts.find((text) => /^v=spf1(?: |$)/i.test(text));
}

/** The record with the addresses in front of what it says about all the others (RFC 7208 §5.1, §6.1). */
export function permitting(record: string | undefined, addresses: readonly string[]): string {
  const mechanism = [...new Set(addresses)]
    .map((address) => `${findFamily(address) === 6 ? 'ip6' : 'ip4'}:${address}`)
    .join(' ');
  if (record === undefined) return `v=spf1 ${mechanism} -all`;
  const rest = /(?<!\s)\s+(?:[-~?+]?all|redirect=\S+)(?:\s.*)?$/i.exec(record);
  if (rest === null) return `${record.trimEnd()} ${mechanism}`;
  return `${record.slice(0, rest.index)} ${mechanism}${rest[0]}`;
}
