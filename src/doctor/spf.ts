/**
 * The SPF record of a name: is it there, once, and well formed; does it permit each address that mail is sent from, within the
 * limits that receivers keep to; does it shut out the others? RFC 7208 §3.2, §4.5, §4.6.4, §5.1, §5.5.
 */

import { lookUps } from '../authentication/look-ups.ts';
import { checkSpf } from '../authentication/spf.ts';
import { spfLimits } from '../authentication/spf-evaluate.ts';
import { isSpfRecord, readSpfRecord, type SpfRecord } from '../authentication/spf-record.ts';
import { permitting } from '../delivery/guard/probes.ts';
import type { WantedRecord } from '../records/wanted-record.ts';
import { textsOf } from './answers.ts';
import type { DnsLooks, Seen } from './dns-looks.ts';
import { type Finding, found, good, quote } from './finding.ts';
import { looksResolver } from './looks-resolver.ts';
import { findMisplaced } from './misplaced.ts';
import { repairSpf } from './spf-repair.ts';
import { walkSpf } from './spf-walk.ts';

export interface SpfParts {
  looks: DnsLooks;
  signal: AbortSignal;
  /** What is to be published. */
  wanted: WantedRecord;
  /** From which mail of the name is sent. */
  senders: readonly { address: string; ehloName: string }[];
}

/** Enough for a record that keeps to its limits. */
const maxQuestions = 60;

export async function examineSpf(parts: SpfParts): Promise<Finding[]> {
  const { looks, wanted } = parts;
  const seen = await looks.see(wanted.name, 'TXT');
  if (seen.status === 'unknown')
    return [
      found('spf-unknown', {
        evidence: `TXT of ${wanted.name}: ${seen.why}`,
        remedy: 'See whether the name servers of the domain answer; then try again.',
        isUnknown: true,
      }),
    ];
  const records = textsOf(seen).filter(isSpfRecord);
  const [text, ...others] = records;
  if (text === undefined) return [absence(wanted, seen, await findMisplacedSpf(looks, wanted))];
  if (others.length > 0)
    return [
      found('spf-two-records', {
        evidence: `${wanted.name} has ${records.length} SPF records: ${records.map((each) => quote(each)).join(' and ')}`,
        remedy: 'Remove all but one; what they permit goes into that one.',
        record: { ...wanted, data: merged(records) },
      }),
    ];
  const record = readSpfRecord(text);
  if ('problem' in record) {
    const repair = repairSpf(text);
    return [
      found('spf-syntax', {
        evidence: `${quote(text)}: ${record.problem}${repair === undefined ? '' : `: ${repair.words}`}`,
        remedy: 'Receivers take the whole record for invalid. Enter it as it is here.',
        record: { ...wanted, ...(repair && { data: repair.text }) },
      }),
    ];
  }
  const problems = [...shapeOf(record, wanted), ...(await examineTerms(parts, record))];
  return problems.length > 0 ? problems : [good('SPF', quote(text))];
}

function absence(wanted: WantedRecord, seen: Seen, misplaced: string | undefined): Finding {
  const severity = wanted.need === 'required' ? {} : ({ severity: 'note' } as const);
  const almost = textsOf(seen).find((text) => isAlmost(text));
  if (almost !== undefined) {
    const repair = repairSpf(almost);
    return found('spf-mistyped', {
      evidence: `${quote(almost)} at ${wanted.name} is no SPF record: ${repair?.words ?? 'it has to begin with "v=spf1" and a space'}`,
      remedy: 'Replace it by this one.',
      record: { ...wanted, ...(repair && { data: repair.text }) },
      ...severity,
    });
  }
  if (misplaced !== undefined)
    return found('spf-misplaced', {
      evidence: `the SPF record stands at ${misplaced}, where nobody looks for it`,
      remedy: `Most forms add the domain to what you enter: the name is "@" or empty there. It has to stand at ${wanted.name}.`,
      record: wanted,
      ...severity,
    });
  return found('spf-missing', {
    evidence: `${wanted.name} has no SPF record`,
    remedy:
      wanted.need === 'required'
        ? 'Without it many receivers refuse mail of the domain, or take it for spam.'
        : wanted.why,
    record: wanted,
    ...severity,
  });
}

/** Meant for SPF, whatever it is; or with such a record somewhere in it. */
const isAlmost = (text: string): boolean =>
  /^["'\s]*v?\s*=?\s*"?\s*spf/i.test(text) || /\bv=spf1\b/i.test(text);

const findMisplacedSpf = (looks: DnsLooks, wanted: WantedRecord): Promise<string | undefined> =>
  findMisplaced(looks, wanted, {
    names: [`@.${wanted.name}`, `spf.${wanted.name}`, `_spf.${wanted.name}`],
    isIt: isSpfRecord,
  });

/** One record of several: all terms, once, and the last word at the end. */
function merged(records: readonly string[]): string {
  const terms = records.flatMap((record) => record.split(/ +/).slice(1)).filter((term) => term !== '');
  const isLast = (term: string) => /^[-+~?]?all$/i.test(term);
  const last = terms.findLast(isLast) ?? '~all';
  return ['v=spf1', ...new Set(terms.filter((term) => !isLast(term))), last].join(' ');
}

/** What the record itself shows. */
function shapeOf({ directives, redirect, text }: SpfRecord, wanted: WantedRecord): Finding[] {
  const findings: Finding[] = [];
  const end = directives.findIndex(({ kind }) => kind === 'all');
  const all = directives[end];
  if (all?.qualifier === '+')
    findings.push(
      found('spf-permits-all', {
        evidence: `${quote(text)} permits the whole world to send as ${wanted.name}`,
        remedy: 'Write ~all or -all.',
        record: { ...wanted, data: text.replace(/\+?all\b/i, '~all') },
      }),
    );
  if ((all === undefined && redirect === undefined) || all?.qualifier === '?')
    findings.push(
      found('spf-open-end', {
        evidence: `${quote(text)} says nothing of everybody else`,
        remedy: 'End it with ~all, and later with -all.',
        record: { ...wanted, data: `${text.replace(/\s+\?all\b/i, '').trimEnd()} ~all` },
      }),
    );
  if (end >= 0 && (end < directives.length - 1 || redirect !== undefined))
    findings.push(
      found('spf-after-all', {
        evidence: `what stands behind ${all?.text} in ${quote(text)} never counts`,
        remedy: 'Put it before.',
        record: { ...wanted, data: merged([text]) },
      }),
    );
  return findings;
}

async function examineTerms(parts: SpfParts, record: SpfRecord): Promise<Finding[]> {
  const { looks, wanted } = parts;
  const walk = await walkSpf(looks, wanted.name, record);
  const findings: Finding[] = [];
  if (walk.tooManyBy !== undefined)
    findings.push(
      found('spf-too-many-lookups', {
        evidence:
          walk.circle === undefined
            ? `the limit of ${spfLimits.terms} look-ups is exceeded by ${walk.tooManyBy}: ${walk.terms} in all`
            : `${walk.circle} leads back to itself: it never ends, and ${spfLimits.terms} look-ups are the limit`,
        remedy:
          'Receivers then find an error, and no permission. Take out what no longer sends for you; put addresses (ip4:, ip6:) in the place of names.',
      }),
    );
  for (const { term, target, isNowhere } of walk.dead)
    findings.push(
      found('spf-dead-include', {
        evidence: `${term} leads to ${target}, which ${isNowhere ? 'does not exist' : 'has no SPF record'}`,
        remedy: 'Receivers then find an error. Correct the name, or take the term out.',
        record: { ...wanted, data: without(record.text, term) },
      }),
    );
  if (walk.voids.length > spfLimits.voids)
    findings.push(
      found('spf-void-lookups', {
        evidence: `${walk.voids.length} look-ups find nothing: ${walk.voids.join(', ')}; more than ${spfLimits.voids} are an error`,
        remedy: 'Take out the names that do not exist any more.',
      }),
    );
  if (walk.ptr !== undefined)
    findings.push(
      found('spf-ptr', {
        evidence: `${walk.ptr} is slow and unreliable, and many receivers pass it over (RFC 7208 §5.5)`,
        remedy: 'Put a:, mx or ip4:/ip6: in its place.',
        record: { ...wanted, data: without(record.text, walk.ptr) },
      }),
    );
  const isBroken = findings.some(({ severity }) => severity === 'error');
  return isBroken ? findings : [...findings, ...(await examineSenders(parts, record))];
}

const without = (text: string, term: string): string =>
  text
    .split(/ +/)
    .filter((each) => each !== term)
    .join(' ');

/** Multicast, for documentation: no mail comes from there, and who permits it permits everybody. */
const nobodysAddress = '233.252.0.77';

const permitsAll = (record: SpfRecord, wanted: WantedRecord, mechanism: string): Finding =>
  found('spf-permits-all', {
    evidence: `${quote(record.text)} permits the whole world to send as ${wanted.name}, by ${mechanism}`,
    remedy: 'Take that term out.',
    record: {
      ...wanted,
      data: without(record.text, mechanism.replace(/, there .*/s, '')),
    },
  });

async function examineSenders({ looks, signal, wanted, senders }: SpfParts, record: SpfRecord) {
  const resolver = looksResolver(looks);
  const check = async ({ address, ehloName }: SpfParts['senders'][number]) => {
    const sender = { clientAddress: address, helo: ehloName, reversePath: `postmaster@${wanted.name}` };
    return { address, ...(await checkSpf(lookUps(resolver, maxQuestions, signal), sender)) };
  };
  const [world, ...verdicts] = await Promise.all(
    [{ address: nobodysAddress, ehloName: wanted.name }, ...senders].map(check),
  );
  const isSaid = record.directives.some(({ kind, qualifier }) => kind === 'all' && qualifier === '+');
  if (world?.result === 'pass' && !isSaid) return [permitsAll(record, wanted, world.mechanism ?? '')];
  const missed = verdicts.filter(({ result }) => result !== 'pass');
  const [first] = missed;
  if (first === undefined) return [];
  const addresses = missed.map(({ address }) => address);
  const isUnknown = missed.some(({ result }) => result === 'temperror');
  return [
    found(isUnknown ? 'spf-unknown' : 'spf-misses-address', {
      evidence: `${addresses.join(', ')}: ${first.reason}`,
      remedy: isUnknown
        ? 'See whether the name servers of the domain answer; then try again.'
        : 'Receivers take mail from there for forged. Let the record permit it.',
      ...(!isUnknown && { record: { ...wanted, data: permitting(record.text, addresses) } }),
      isUnknown,
    }),
  ];
}
