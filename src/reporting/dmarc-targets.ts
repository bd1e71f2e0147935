/**
 * Who gets the DMARC report on a domain: the addresses in its record as it is now, and of those elsewhere the ones that have
 * agreed (RFC 9990 §4): without that anybody could have us write to anybody.
 */

import { readDmarcRecord } from '../authentication/dmarc-record.ts';
import { dmarcWalker, organizationalDomain } from '../authentication/dmarc-walk.ts';
import { type LookUps, lookUps } from '../authentication/look-ups.ts';
import { mailUris, type ReportUri } from '../dmarc-rpt/record.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { Target } from './domain-day.ts';

type Found = Omit<Target, 'queueId' | 'state'>;

/** DNS questions for one domain's report: its record, the trees of it and of ten others, and what they agree to. */
const maxLookUps = 150;

/** Undefined where DNS does not say. */
export async function dmarcTargets(
  resolver: Resolver,
  domain: string,
  signal: AbortSignal,
): Promise<Found[] | undefined> {
  const dns = lookUps(resolver, maxLookUps, signal);
  const uris = await urisAt(dns, `_dmarc.${domain}`);
  if (uris === undefined) return undefined;
  const targets: Found[] = [];
  for (const uri of uris) {
    const agreed = await agreedTo(dns, domain, uri);
    signal.throwIfAborted();
    if (agreed === undefined) return undefined;
    targets.push(...agreed.map(targetOf));
  }
  return targets;
}

const targetOf = ({ uri, maxBytes }: ReportUri): Found => ({
  uri,
  ...(maxBytes !== undefined && { maxBytes }),
});

/** Of several records none counts. */
async function urisAt(dns: LookUps, name: string): Promise<ReportUri[] | undefined> {
  const records = await recordsAt(dns, name);
  if (records === undefined || records.length > 1) return records && [];
  return mailUris(records[0]?.reportUris ?? []);
}

async function recordsAt(dns: LookUps, name: string) {
  const answer = await dns.ask(name, 'TXT');
  if (answer.status === 'failed') return undefined;
  if (answer.status === 'none') return [];
  return answer.records.flatMap((strings) => readDmarcRecord(strings.join('')) ?? []);
}

/** What the address's side makes of it: the address itself, others of the same host, or none. Undefined where it is not known. */
async function agreedTo(dns: LookUps, domain: string, target: ReportUri): Promise<ReportUri[] | undefined> {
  const host = target.address.domain;
  const isOwn = await isSameOrganization(dns, domain, host);
  if (isOwn === undefined || isOwn) return isOwn && [target];
  const records = await recordsAt(dns, `${domain}._report._dmarc.${host}`);
  if (records === undefined || records.length === 0) return records && [];
  const others = records.flatMap(({ reportUris }) => mailUris(reportUris));
  if (others.length === 0) return [target];
  // An override that leads to yet another host is to be used by nobody.
  return others.every(({ address }) => address.domain === host) ? others : [];
}

async function isSameOrganization(dns: LookUps, domain: string, host: string): Promise<boolean | undefined> {
  if (host === domain || host.endsWith(`.${domain}`)) return true;
  const walker = dmarcWalker(dns);
  const [own, other] = await Promise.all([walker(domain), walker(host)]);
  if (own.failure !== undefined || other.failure !== undefined) return undefined;
  return organizationalDomain(own) === organizationalDomain(other);
}
