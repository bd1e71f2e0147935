/**
 * The published DKIM key against the one that mail is signed with: is it there, at the right name, whole, and the same? A
 * near miss is named for what it is, so that it can be found in a provider's form. RFC 6376 §3.6.1, §3.6.2.2.
 */

import { listOf, readTags, withoutSpace } from '../authentication/tag-list.ts';
import type { WantedRecord } from '../records/wanted-record.ts';
import { textsOf } from './answers.ts';
import { damageOf } from './dkim-damage.ts';
import type { DnsLooks, Seen } from './dns-looks.ts';
import { type Finding, found, good, quote } from './finding.ts';
import { findMisplaced, placeRemedy } from './misplaced.ts';

export interface DkimParts {
  looks: DnsLooks;
  /** At `selector._domainkey.domain`. */
  wanted: WantedRecord;
  /** All keys of ours. */
  ours: readonly WantedRecord[];
}

/** Under which keys stand, where somebody has changed the name. */
const usualSelectors = [
  'posthorn',
  'default',
  'dkim',
  'mail',
  'email',
  'key1',
  's1',
  'selector1',
  'k1',
  'rsa',
  'ed25519',
];

export async function examineDkim({ looks, wanted, ours }: DkimParts): Promise<Finding[]> {
  const seen = await looks.see(wanted.name, 'TXT');
  if (seen.status === 'unknown')
    return [
      found('dkim-unknown', {
        about: selectorOf(wanted),
        evidence: `TXT of ${wanted.name}: ${seen.why}`,
        remedy: 'See whether the name servers of the domain answer; then try again.',
        isUnknown: true,
      }),
    ];
  if (seen.status === 'none') return [await explainAbsence(looks, wanted, { ours, alias: seen.alias })];
  return [judge(seen, wanted, ours)];
}

const selectorOf = ({ name }: WantedRecord): string => name.slice(0, name.indexOf('._domainkey.'));
const tagOf = (text: string, name: string): string | undefined => readTags(text).tags?.get(name);
const keyOf = (text: string): string => withoutSpace(tagOf(text, 'p') ?? '');

async function explainAbsence(
  looks: DnsLooks,
  wanted: WantedRecord,
  { ours, alias }: { ours: readonly WantedRecord[]; alias: string | undefined },
): Promise<Finding> {
  const { domain, name } = wanted;
  const key = keyOf(wanted.data);
  const selector = selectorOf(wanted);
  const about = selector;
  const isIt = (text: string) => keyOf(text) === key;
  const misplaced = await findMisplaced(looks, wanted, {
    isIt,
    names: [
      `${selector}.${domain}`,
      `${selector}.domainkey.${domain}`,
      `_domainkey.${domain}`,
      `_domainkey.${selector}.${domain}`,
      domain,
    ],
  });
  if (misplaced !== undefined)
    return found('dkim-misplaced', {
      about,
      evidence: `the key stands at ${misplaced} instead of ${name}`,
      remedy: placeRemedy(wanted, misplaced),
      record: wanted,
    });
  const selectors = new Set([...usualSelectors, ...ours.map(selectorOf)]);
  selectors.delete(selector);
  const names = [...selectors].map((each) => `${each}._domainkey.${domain}`);
  const elsewhere = await findMisplaced(looks, wanted, { isIt, names });
  if (elsewhere !== undefined)
    return found('dkim-other-selector', {
      about,
      evidence: `the key stands at ${elsewhere}, but our signatures say s=${selector}`,
      remedy: 'Enter it under the name below, or write that selector in the configuration.',
      record: wanted,
    });
  return found('dkim-missing', {
    about,
    evidence:
      alias === undefined
        ? `there is no record at ${name}`
        : `${name} is an alias (CNAME) of ${alias}, where there is no key`,
    remedy: 'Receivers cannot verify our signatures without it.',
    record: wanted,
    ...(wanted.need !== 'required' && { severity: 'warning' }),
  });
}

function judge(seen: Seen, wanted: WantedRecord, ours: readonly WantedRecord[]): Finding {
  const about = selectorOf(wanted);
  const texts = textsOf(seen);
  const [text = '', ...others] = texts;
  const said = (id: Parameters<typeof found>[0], evidence: string, remedy: string) =>
    found(id, { about, evidence, remedy, record: wanted });
  if (isInHalves(texts, wanted))
    return said(
      'dkim-two-records',
      `${seen.name} has two TXT records, which are the two pieces of one key`,
      'Both pieces belong into one record: delete both, and enter this one, in one field, quotes and all.',
    );
  if (others.length > 0)
    return said(
      'dkim-two-records',
      `${seen.name} has ${texts.length} TXT records`,
      'Receivers take any of them. Leave this one only.',
    );
  const foreign = foreignCharacters(text);
  if (foreign !== undefined) return said('dkim-quotes', foreign.evidence, foreign.remedy);
  const { tags, problem } = readTags(text);
  if (tags === undefined) return said('dkim-syntax', `${quote(text)}: ${problem}`, 'Replace it by this one.');
  const [first] = tags.keys();
  if (tags.has('v') && (first !== 'v' || tags.get('v') !== 'DKIM1'))
    return said('dkim-syntax', `${quote(text)} does not begin with v=DKIM1`, 'Replace it by this one.');
  if (!tags.has('p')) return said('dkim-syntax', `${quote(text)} has no p=`, 'Replace it by this one.');
  return judgeKey(tags, wanted, ours);
}

/** A form that takes 255 characters, and somebody who has used it twice. */
function isInHalves(texts: readonly string[], { data }: WantedRecord): boolean {
  const [a = '', b = ''] = texts;
  return texts.length === 2 && [a + b, b + a].some((text) => withoutSpace(text) === withoutSpace(data));
}

/** Quotes that were typed into a form stand in the record itself, and so do those between the pieces of a long one. */
function foreignCharacters(text: string): { evidence: string; remedy: string } | undefined {
  const at = text.search(/["'“”\\]/);
  if (at < 0) return undefined;
  if (/\bTXT\s*\(?\s*"/i.test(text))
    return {
      evidence: `the record holds a whole line of a zone file: ${quote(text, 60)}`,
      remedy: 'Enter only what stands between the quotes: from v=DKIM1 on.',
    };
  const place = at === 0 ? 'at its beginning' : `after "${text.slice(Math.max(0, at - 12), at)}"`;
  return {
    evidence: `the record holds a foreign character ${place}: ${quote(text.slice(at, at + 8))}`,
    remedy:
      text[at] === '\\'
        ? 'Enter the text without backslashes: they belong into zone files only.'
        : 'Enter the text without quotes, in one piece; or each piece in quotes of its own, where the form wants that.',
  };
}

function judgeKey(
  tags: ReadonlyMap<string, string>,
  wanted: WantedRecord,
  ours: readonly WantedRecord[],
): Finding {
  const about = selectorOf(wanted);
  const key = keyOf(wanted.data);
  const published = withoutSpace(tags.get('p') ?? '');
  const said = (id: Parameters<typeof found>[0], evidence: string, remedy: string) =>
    found(id, { about, evidence, remedy, record: wanted });
  if (published === '')
    return said(
      'dkim-revoked',
      'p= is empty: that revokes the key',
      'Signatures made with it are invalid. Enter the key again.',
    );
  const damage = damageOf(key, published, wanted);
  if (damage === undefined)
    return judgeFlags(tags, wanted) ?? good(`DKIM ${about}`, `the key at ${wanted.name} is ours`);
  if (damage !== 'other') return said(damage.id, damage.words, damage.remedy);
  const owner = ours.find((each) => each !== wanted && keyOf(each.data) === published);
  const whose = owner === undefined ? 'another key than ours' : `the key that belongs to ${owner.name}`;
  return said(
    'dkim-other-key',
    `${wanted.name} holds ${whose}`,
    'Our signatures are invalid with it. Replace it, or name the key file that belongs to it in the configuration.',
  );
}

function judgeFlags(tags: ReadonlyMap<string, string>, wanted: WantedRecord): Finding | undefined {
  const about = selectorOf(wanted);
  const type = tagOf(wanted.data, 'k') ?? 'rsa';
  const flags: string[] = [];
  if ((tags.get('k') ?? 'rsa') !== type)
    flags.push(`k=${tags.get('k') ?? '(absent: rsa)'} for a key of type ${type}`);
  const hashes = tags.get('h');
  if (hashes !== undefined && !listOf(hashes.toLowerCase()).includes('sha256'))
    flags.push(`h=${hashes} without sha256`);
  const services = listOf(tags.get('s') ?? '*');
  if (!services.includes('*') && !services.includes('email'))
    flags.push(`s=${tags.get('s')} is not for mail`);
  if (flags.length > 0)
    return found('dkim-not-for-mail', {
      about,
      evidence: flags.join(', '),
      remedy: 'Replace the record by this one.',
      record: wanted,
    });
  if (!listOf(tags.get('t') ?? '').includes('y')) return undefined;
  return found('dkim-testing', {
    about,
    evidence: 't=y: receivers treat mail as if it had no signature',
    remedy: 'Take t=y out when signatures verify.',
    record: wanted,
  });
}
