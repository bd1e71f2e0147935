/** The DMARC record: there, once, readable; reports go to somebody who wants them. RFC 9989 §4.7, §4.10; RFC 9990 §4 (reports elsewhere). */

import { type DmarcRecord, readDmarcRecord } from '../authentication/dmarc-record.ts';
import { applicableRecord, dmarcWalker } from '../authentication/dmarc-walk.ts';
import { lookUps } from '../authentication/look-ups.ts';
import { mailUris } from '../dmarc-rpt/record.ts';
import { formatAddress } from '../mail/address.ts';
import type { WantedRecord } from '../records/wanted-record.ts';
import { textsOf } from './answers.ts';
import { repairDmarc } from './dmarc-repair.ts';
import type { DnsLooks, Seen } from './dns-looks.ts';
import { type Finding, found, good, quote } from './finding.ts';
import { looksResolver } from './looks-resolver.ts';
import { findMisplaced, placeRemedy } from './misplaced.ts';

export interface DmarcParts {
  looks: DnsLooks;
  signal: AbortSignal;
  wanted: WantedRecord;
  /** Of this server. */
  hostname: string;
}

export interface DmarcExamined {
  findings: Finding[];
  /** Addresses that reports go to, in any domain. */
  reportsTo: readonly string[];
}

const isDmarc = (text: string): boolean => readDmarcRecord(text) !== undefined;
/** Meant for DMARC, whatever it is. */
const isMeant = (text: string): boolean => /^["'\s]*v\s*=?\s*["']?\s*d(?:mar|ma|mrc)/i.test(text);

export async function examineDmarc(parts: DmarcParts): Promise<DmarcExamined> {
  const { looks, wanted } = parts;
  const seen = await looks.see(wanted.name, 'TXT');
  const only = (finding: Finding): DmarcExamined => ({ findings: [finding], reportsTo: [] });
  if (seen.status === 'unknown')
    return only(
      found('dmarc-unknown', {
        evidence: `TXT of ${wanted.name}: ${seen.why}`,
        remedy: 'See whether the name servers of the domain answer; then try again.',
        isUnknown: true,
      }),
    );
  const records = textsOf(seen).filter(isMeant);
  if (records.length > 1)
    return only(
      found('dmarc-two-records', {
        evidence: `${wanted.name} has ${records.length} DMARC records: ${records.map((each) => quote(each)).join(' and ')}`,
        remedy: 'Two count as none (RFC 9989 §4.10). Remove all but one.',
      }),
    );
  const [text] = records;
  if (text === undefined) return only(await explainAbsence(parts, seen));
  const repair = repairDmarc(text);
  const record = readDmarcRecord(text);
  if (record === undefined || repair !== undefined)
    return only(
      found('dmarc-syntax', {
        evidence: `${quote(text)}: ${repair?.problem ?? 'it cannot be read'}`,
        remedy: 'Replace it by this one.',
        record: { ...wanted, ...(repair?.text !== undefined && { data: repair.text }) },
      }),
    );
  return judge(parts, record);
}

async function explainAbsence(parts: DmarcParts, seen: Seen): Promise<Finding> {
  const { looks, wanted, hostname } = parts;
  const { domain, name } = wanted;
  const above = await recordAbove(parts);
  if (above !== undefined) return above;
  const misplaced = await findMisplaced(looks, wanted, {
    names: [domain, `dmarc.${domain}`, `_dmarc._dmarc.${domain}`, `_dmarc.${hostname}`],
    isIt: isDmarc,
  });
  if (misplaced !== undefined)
    return found('dmarc-misplaced', {
      evidence: `the DMARC record stands at ${misplaced}, where nobody looks for it`,
      remedy: placeRemedy(wanted, misplaced),
      record: wanted,
    });
  const other = textsOf(seen)[0];
  return found('dmarc-missing', {
    evidence: other === undefined ? absenceOf(seen) : `${quote(other)} at ${name} is no DMARC record`,
    remedy: 'Big receivers want one, and it is how you hear who sends in your name.',
    record: wanted,
  });
}

const absenceOf = ({ name, alias }: Seen): string =>
  alias === undefined
    ? `there is no record at ${name}`
    : `${name} is an alias (CNAME) of ${alias}, where there is no record`;

/** A domain without a record of its own has that of its organization (RFC 9989 §4.10). */
async function recordAbove({ looks, signal, wanted }: DmarcParts): Promise<Finding | undefined> {
  const { domain } = wanted;
  const ask = dmarcWalker(lookUps(looksResolver(looks), maxWalk, signal));
  const placed = applicableRecord(await ask(domain));
  if (placed === undefined || placed.domain === domain) return undefined;
  const { policies, text } = placed.record;
  const policy = policies?.sp ?? policies?.p;
  const evidence = `_dmarc.${placed.domain} counts for ${domain}, too: ${quote(text)}`;
  if (policy !== 'none') return good('DMARC', evidence);
  return found('dmarc-policy-none', {
    evidence: `${evidence}, which asks for nothing`,
    remedy:
      'When `posthorn reports dmarc` shows that all of your mail passes, make its sp= quarantine, and later reject.',
  });
}

/** Questions for all names above a domain. */
const maxWalk = 20;

async function judge({ looks, wanted }: DmarcParts, record: DmarcRecord): Promise<DmarcExamined> {
  const { text } = record;
  const reportsTo = mailUris(record.reportUris).map(({ address }) => formatAddress(address));
  const findings: Finding[] = [];
  if (record.reportUris.length === 0)
    findings.push(
      found('dmarc-no-reports', {
        evidence: `${quote(text)} names nobody to report to`,
        remedy:
          'Without reports you do not learn who sends in your name. They are read here: posthorn reports dmarc.',
        record: {
          ...wanted,
          data: `${text.replace(/[;\s]+$/, '')}; ${wanted.data.slice(wanted.data.indexOf('rua='))}`,
        },
      }),
    );
  if (/;\s*pct\s*=/i.test(text))
    findings.push(
      found('dmarc-pct', {
        evidence: `${quote(text)} has pct=, which RFC 9989 has done away with`,
        remedy: 'Take it out. To try a policy first, there is t=y.',
        record: { ...wanted, data: text.replace(/;\s*pct\s*=\s*[^;]*/i, '') },
      }),
    );
  findings.push(...(await unauthorized(looks, wanted, reportsTo)), ...subdomains(wanted, record));
  if (record.policies?.p === 'none' && findings.length === 0)
    findings.push(
      found('dmarc-policy-none', {
        evidence: `${quote(text)}: mail that only pretends to be yours is delivered`,
        remedy:
          'That is how to begin. When `posthorn reports dmarc` shows that all of your mail passes, make it quarantine, and later reject.',
        record: { ...wanted, data: text.replace(/\bp\s*=\s*none/i, 'p=quarantine') },
      }),
    );
  return { findings: findings.length > 0 ? findings : [good('DMARC', quote(text))], reportsTo };
}

/** Who cannot forge the domain takes a name below it: `sp=` is for those. */
function subdomains(wanted: WantedRecord, { policies, text }: DmarcRecord): Finding[] {
  if (policies?.sp !== 'none' || policies.p === 'none') return [];
  return [
    found('dmarc-subdomains', {
      evidence: `${quote(text)}: mail that only pretends to be from a name below ${wanted.domain} is delivered`,
      remedy: `Take sp=none out, unless such names send mail that does not pass yet.`,
      record: { ...wanted, data: text.replace(/;\s*sp\s*=\s*none/i, '') },
    }),
  ];
}

/** A domain that is none of ours says that it wants the reports (RFC 9990 §4). */
async function unauthorized(
  looks: DnsLooks,
  { domain }: WantedRecord,
  reportsTo: readonly string[],
): Promise<Finding[]> {
  const readers = new Set(reportsTo.map((address) => address.slice(address.lastIndexOf('@') + 1)));
  const others = [...readers].filter(
    (reader) => reader !== domain && !reader.endsWith(`.${domain}`) && !domain.endsWith(`.${reader}`),
  );
  const missing = await Promise.all(
    others.map(async (reader) => {
      const name = `${domain}._report._dmarc.${reader}`;
      const seen = await looks.see(name, 'TXT');
      if (seen.status === 'unknown' || textsOf(seen).some((text) => /^v\s*=\s*DMARC1/i.test(text))) return [];
      return [
        found('dmarc-rua-unauthorized', {
          evidence: `${reader} does not say that it wants reports about ${domain}: nobody will send any there`,
          remedy: `Whoever has ${reader} enters this record; or let the reports go to an address in ${domain}.`,
          record: { name, type: 'TXT', data: 'v=DMARC1;' },
        }),
      ];
    }),
  );
  return missing.flat();
}
