/**
 * Reads an aggregate report: that of RFC 9990, of RFC 7489, and what there was before. Elements are found by their local
 * names in any order; unknown ones are passed over (RFC 9990 §5). Numbers, dates and addresses must be such.
 */

import { findCanonicalIp } from '../dns/ip.ts';
import { parseDomain } from '../mail/domain.ts';
import { parseXml, type XmlElement, XmlError } from '../util/xml.ts';
import type { AggregateRecord, AggregateReport, PolicyWord, PublishedPolicy } from './report.ts';

/** Records that are kept of one report. */
export const maxRecords = 5000;
/** Results of each mechanism, reasons, errors that are kept of one record or report. */
const maxOfRecord = 20;
/** Characters that are kept of a text, of whatever its author likes to write, and of a name. */
const [maxText, maxName] = [300, 255];
/** The first moment that is no four-digit year. */
const endOfTime = 253_402_300_800;

/** Throws an XmlError that says what is wrong. */
export function readAggregateReport(octets: Buffer): AggregateReport {
  const root = parseXml(octets);
  if (root.name !== 'feedback') throw new XmlError(`it is a "${root.name.slice(0, 40)}", not a "feedback"`);
  const metadata = required(root, 'report_metadata');
  const range = required(metadata, 'date_range');
  const [begin, end] = [secondsOf(range, 'begin'), secondsOf(range, 'end')];
  if (begin > end) throw new XmlError('its period ends before it begins');
  const records = childrenOf(root, 'record');
  return {
    organization: text(metadata, 'org_name') ?? text(metadata, 'email') ?? '',
    email: text(metadata, 'email') ?? '',
    reportId: textOf(required(metadata, 'report_id')),
    beginsAt: begin * 1000,
    endsAt: end * 1000,
    policy: policyOf(required(root, 'policy_published')),
    errors: childrenOf(metadata, 'error').slice(0, maxOfRecord).map(textOf),
    records: records.slice(0, maxRecords).map(recordOf),
    ...(records.length > maxRecords && { leftOut: records.length - maxRecords }),
  };
}

function policyOf(published: XmlElement): PublishedPolicy {
  const name = textOf(required(published, 'domain'));
  const domain = parseDomain(name.replace(/\.$/, ''));
  if (domain === undefined) throw new XmlError(`"${name.slice(0, 80)}" is no domain`);
  const word = (key: string) => oneOf(text(published, key), ['none', 'quarantine', 'reject'] as const);
  const mode = (key: string) => oneOf(text(published, key), ['r', 's'] as const);
  const testing = oneOf(text(published, 'testing'), ['y', 'n'] as const);
  return {
    domain,
    ...optional<'p' | 'sp' | 'np', PolicyWord>({ p: word('p'), sp: word('sp'), np: word('np') }),
    ...optional<'adkim' | 'aspf', 'r' | 's'>({ adkim: mode('adkim'), aspf: mode('aspf') }),
    ...(testing !== undefined && { testing: testing === 'y' }),
  };
}

function recordOf(record: XmlElement): AggregateRecord {
  const row = required(record, 'row');
  const evaluated = required(row, 'policy_evaluated');
  const identifiers = childrenOf(record, 'identifiers')[0] ?? childrenOf(record, 'identities')[0] ?? empty;
  const results = childrenOf(record, 'auth_results')[0] ?? empty;
  const passed = (key: string) => text(evaluated, key)?.toLowerCase() === 'pass';
  return {
    source: sourceOf(textOf(required(row, 'source_ip'))),
    count: countOf(textOf(required(row, 'count'))),
    disposition: dispositionOf(text(evaluated, 'disposition')),
    dkimAligned: passed('dkim'),
    spfAligned: passed('spf'),
    reasons: childrenOf(evaluated, 'reason').slice(0, maxOfRecord).map(reasonOf),
    headerFrom: nameOf(text(identifiers, 'header_from')),
    ...optional<'envelopeFrom' | 'envelopeTo', string>({
      envelopeFrom: childText(identifiers, 'envelope_from'),
      envelopeTo: text(identifiers, 'envelope_to'),
    }),
    dkim: childrenOf(results, 'dkim')
      .slice(0, maxOfRecord)
      .map((each) => resultOf(each, 'selector')),
    spf: childrenOf(results, 'spf')
      .slice(0, maxOfRecord)
      .map((each) => resultOf(each, 'scope')),
  };
}

function resultOf<Key extends 'selector' | 'scope'>(
  element: XmlElement,
  key: Key,
): { domain: string; result: string } & Partial<Record<Key, string>> {
  const result = {
    domain: nameOf(text(element, 'domain')),
    result: text(element, 'result')?.toLowerCase() ?? '',
  };
  return {
    ...result,
    // The compiler does not follow that a computed key is `Key`, nor below that only values are left out.
    ...optional<Key, string>({ [key]: text(element, key) } as Record<Key, string | undefined>),
  };
}

function reasonOf(reason: XmlElement): AggregateRecord['reasons'][number] {
  const comment = text(reason, 'comment');
  return { type: text(reason, 'type') ?? '', ...(comment !== undefined && { comment }) };
}

/** Addresses are written in many ways; two records of one client must be seen to be that. */
function sourceOf(written: string): string {
  const address = findCanonicalIp(written);
  if (address === undefined) throw new XmlError(`"${written.slice(0, 60)}" is no IP address`);
  return address;
}

function countOf(written: string): number {
  if (!/^\d{1,12}$/.test(written)) throw new XmlError(`"${written.slice(0, 40)}" is no count of messages`);
  return Number(written);
}

function secondsOf(range: XmlElement, key: string): number {
  const written = textOf(required(range, key));
  // Some write fractions.
  const seconds = /^\d{1,12}(?:\.\d{1,9})?$/.test(written) ? Math.floor(Number(written)) : endOfTime;
  if (seconds >= endOfTime) throw new XmlError(`"${written.slice(0, 40)}" is no time of its period`);
  return seconds;
}

const dispositionOf = (written = ''): AggregateRecord['disposition'] =>
  oneOf(written, ['none', 'pass', 'quarantine', 'reject'] as const) ?? 'none';

const empty: XmlElement = { name: '', children: [], text: '' };

const childrenOf = ({ children }: XmlElement, name: string): XmlElement[] =>
  children.filter((child) => child.name === name);

function required(parent: XmlElement, name: string): XmlElement {
  const [child] = childrenOf(parent, name);
  if (child === undefined) throw new XmlError(`its "${parent.name}" has no "${name}"`);
  return child;
}

const textOf = (element: XmlElement): string => element.text.trim().slice(0, maxText);

/** Of the first child of that name; there may be none in it. */
function childText(parent: XmlElement, name: string): string | undefined {
  const [child] = childrenOf(parent, name);
  return child && textOf(child);
}

const text = (parent: XmlElement, name: string): string | undefined => childText(parent, name) || undefined;

/** As a domain is written where it is one. */
const nameOf = (written = ''): string => parseDomain(written) ?? written.slice(0, maxName).toLowerCase();

function oneOf<Word extends string>(written: string | undefined, words: readonly Word[]): Word | undefined {
  return words.find((word) => word === written?.toLowerCase());
}

function optional<Key extends string, Value>(values: Record<Key, Value | undefined>): { [K in Key]?: Value } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in Key]?: Value;
  };
}
