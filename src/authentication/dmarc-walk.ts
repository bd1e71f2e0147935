/**
 * DMARC's way up the tree of DNS: which records stand at a domain and above it, which of them is the organization's, and
 * whether a domain exists at all. RFC 9989 §4.10, §4.10.2, appendix A.4.
 */

import { isAskableName } from '../dns/name.ts';
import { type DmarcRecord, readDmarcRecord } from './dmarc-record.ts';
import type { LookUps } from './look-ups.ts';

export interface Walk {
  /** The domain it began at. */
  domain: string;
  /** From that domain upwards. */
  found: readonly PlacedRecord[];
  /** The names that were asked for, without `_dmarc.`. */
  asked: readonly string[];
  /** Why it ended before its end; absent where it did not. */
  failure?: string;
}

export interface PlacedRecord {
  domain: string;
  record: DmarcRecord;
}

/** Of a longer name, the next to be asked for are the last seven labels, so that eight questions suffice (§4.10 step 4). */
const walkedLabels = 7;

/** Walks for one message; they share most of their names, and each is asked for once. */
export type Walker = (domain: string) => Promise<Walk>;

export function dmarcWalker(lookUps: LookUps): Walker {
  const asked = new Map<string, Promise<Found>>();
  const find = (domain: string): Promise<Found> => {
    const known = asked.get(domain) ?? findRecord(lookUps, domain);
    asked.set(domain, known);
    return known;
  };
  return (domain) => walk(find, domain);
}

type Found = { record?: DmarcRecord; failure?: string };

async function walk(find: (domain: string) => Promise<Found>, domain: string): Promise<Walk> {
  const found: PlacedRecord[] = [];
  const asked: string[] = [];
  let labels = isDomain(domain) ? domain.split('.') : [];
  while (labels.length > 0) {
    const name = labels.join('.');
    asked.push(name);
    const { record, failure } = await find(name);
    if (failure !== undefined) return { domain, found, asked, failure };
    if (record) found.push({ domain: name, record });
    if (record && record.psd !== 'u') break;
    labels = labels.length > walkedLabels ? labels.slice(-walkedLabels) : labels.slice(1);
  }
  return { domain, found, asked };
}

/** An address literal is no name in DNS. */
const isDomain = (text: string): boolean =>
  !text.startsWith('[') && !/^[\d.]+$/.test(text) && !text.includes(':');

async function findRecord(lookUps: LookUps, domain: string): Promise<Found> {
  const name = `_dmarc.${domain}`;
  if (!isAskableName(name)) return {};
  const answer = await lookUps.ask(name, 'TXT');
  if (answer.status === 'failed') return { failure: `TXT of ${name}: ${answer.detail}` };
  return answer.status === 'found' ? readOnce(answer.records) : {};
}

/** By the answer's own records: a resolver that keeps an answer gives the same ones again. */
const readings = new WeakMap<object, Found>();

/** Several DMARC records under one name count as none (§4.10 steps 2 and 6). */
function readOnce(records: readonly string[][]): Found {
  const known = readings.get(records);
  if (known) return known;
  const policies = records.flatMap((strings) => readDmarcRecord(strings.join('')) ?? []);
  const [record, ...others] = policies;
  const found = record && others.length === 0 ? { record } : {};
  readings.set(records, found);
  return found;
}

/** §4.10.2; of a walk that has come to its end. */
export function organizationalDomain({ domain, found }: Walk): string {
  for (const { domain: place, record } of found) {
    if (record.psd === 'n') return place;
    // One label below the public suffix.
    if (record.psd === 'y' && place !== domain)
      return domain
        .split('.')
        .slice(-place.split('.').length - 1)
        .join('.');
  }
  return found.at(-1)?.domain ?? domain;
}

/**
 * The record that applies to the domain (§4.10.1): its own, or that of its organization, or of the public suffix above.
 * Undefined where there is none.
 */
export function applicableRecord(walk: Walk): PlacedRecord | undefined {
  const { domain, found } = walk;
  const [first] = found;
  if (first?.domain === domain) return first;
  const organization = organizationalDomain(walk);
  const last = found.at(-1);
  return found.find((one) => one.domain === organization) ?? (last?.record.psd === 'y' ? last : undefined);
}

/**
 * Whether anything stands under the name: only NXDOMAIN says that nothing does (appendix A.4). An alias whose target is gone
 * gives the target's NXDOMAIN (RFC 6604 §3), so that the alias itself is asked for too.
 */
export async function domainExists(lookUps: LookUps, domain: string): Promise<boolean | { failure: string }> {
  if (!isAskableName(domain)) return false;
  const address = await lookUps.ask(domain, 'A');
  if (address.status === 'failed') return { failure: `A of ${domain}: ${address.detail}` };
  if (address.status === 'found' || address.reason === 'nodata') return true;
  const alias = await lookUps.ask(domain, 'CNAME');
  if (alias.status === 'failed') return { failure: `CNAME of ${domain}: ${alias.detail}` };
  return alias.status === 'found';
}
