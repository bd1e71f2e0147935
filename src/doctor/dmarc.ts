/** The DMARC record: there, once, readable; reports go to somebody who wants them. RFC 9989 §4.7, §4.10; RFC 9990 §4 (reports elsewhere). */

import { type DmarcRecord, readDmarcRecord } from '../authentication/dmarc-record.ts';
import { mailUris } from '../dmarc-rpt/record.ts';
import { formatAddress } from '../mail/address.ts';
import type { WantedRecord } from '../records/wanted-record.ts';
import { textsOf } from './answers.ts';
import type { DnsLooks, Seen } from './dns-looks.ts';
import { type Finding, found, good, quote } from './finding.ts';

export interface DmarcParts {
  looks: DnsLooks;
  wanted: WantedRecord;
}

export interface DmarcExamined {
  findings: Finding[];
  /** Addresses that reports go to, in any domain. */
  reportsTo: readonly string[];
}

const isDmarc = (text: string): boolean => readDmarcRecord(text) !== undefined;
/** Meant for DMARC, whatever it is. */
const isMeant = (text: string): boolean => /^["'\s]*v\s*=?\s*["']?\s*d(?:mar|ma|mrc)/i.test(text);

export async function examineDmarc({ looks, wanted }: DmarcParts): Promise<DmarcExamined> {
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
  if (text === undefined) return only(await explainAbsence(looks, wanted, seen));
  const record = readDmarcRecord(text);
  const problem = syntaxProblem(text, record);
  if (record === undefined || problem !== undefined)
    return only(
      found('dmarc-syntax', {
        evidence: `${quote(text)}: ${problem}`,
        remedy: 'Replace it by this one.',
        record: wanted,
      }),
    );
  return judge({ looks, wanted }, record);
}

async function explainAbsence(looks: DnsLooks, wanted: WantedRecord, seen: Seen): Promise<Finding> {
  const { domain, name } = wanted;
  const names = [`${name}.${domain}`, domain, `dmarc.${domain}`, `_dmarc._dmarc.${domain}`];
  const looked = await Promise.all(names.map((each) => looks.see(each, 'TXT')));
  const misplaced = names.find((_, index) => textsOf(looked[index]).some(isDmarc));
  if (misplaced !== undefined)
    return found('dmarc-misplaced', {
      evidence: `the DMARC record stands at ${misplaced}, where nobody looks for it`,
      remedy:
        misplaced === `${name}.${domain}`
          ? 'The form adds the domain by itself: enter "_dmarc" as the name.'
          : `It has to stand at ${name}.`,
      record: wanted,
    });
  const other = textsOf(seen)[0];
  return found('dmarc-missing', {
    evidence:
      other === undefined ? `there is no record at ${name}` : `${quote(other)} at ${name} is no DMARC record`,
    remedy: 'Big receivers want one, and it is how you hear who sends in your name.',
    record: wanted,
  });
}

const policies = new Set(['none', 'quarantine', 'reject']);

function syntaxProblem(text: string, record: DmarcRecord | undefined): string | undefined {
  if (record === undefined)
    return /^v\s*=\s*DMARC1\s*(?:;|$)/i.test(text)
      ? 'a tag stands there twice'
      : 'it has to begin with "v=DMARC1;"';
  const tags = new Map(
    text.split(';').flatMap((part) => {
      const [, name = '', value = ''] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(part) ?? [];
      return name === '' ? [] : [[name.toLowerCase(), value.toLowerCase()] as const];
    }),
  );
  const p = tags.get('p');
  if (p === undefined) return 'it has no p=';
  for (const name of ['p', 'sp', 'np']) {
    const value = tags.get(name);
    if (value !== undefined && !policies.has(value))
      return `${name}=${value} is not none, quarantine or reject`;
  }
  const stray = text.split(';').find((part) => part.trim() !== '' && !part.includes('='));
  if (stray !== undefined) return `"${stray.trim().slice(0, 40)}" is no tag`;
  const uris = (tags.get('rua') ?? '')
    .split(',')
    .map((uri) => uri.trim())
    .filter((uri) => uri !== '');
  const bad = uris.find((uri) => !/^[a-z][a-z\d+.-]*:/.test(uri));
  return bad === undefined
    ? undefined
    : `rua=${bad.slice(0, 60)} is no URI: write mailto: before the address`;
}

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
  findings.push(...(await unauthorized(looks, wanted, reportsTo)));
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
