/**
 * How many look-ups an SPF record takes with all that it includes, and which of them lead nowhere: counted over the whole tree,
 * as a message that nothing permits has it. RFC 7208 §4.6.4.
 */

import { spfLimits } from '../authentication/spf-evaluate.ts';
import { isSpfRecord, readSpfRecord, type SpfRecord } from '../authentication/spf-record.ts';
import { textsOf } from './answers.ts';
import type { DnsLooks } from './dns-looks.ts';

export interface SpfWalk {
  terms: number;
  /** The term of the domain's own record with which the limit was passed. */
  tooManyBy?: string;
  /** Names that were asked for in vain. */
  voids: string[];
  /** Terms of the domain's own record that lead to no record. */
  dead: { term: string; target: string; isNowhere: boolean }[];
  /** A term of the domain's own record that leads back to where it came from. */
  circle?: string;
  /** A `ptr` in the domain's own record. */
  ptr?: string;
}

/** Records that are read: past the limit, how far past does not matter. */
const maxRecords = 40;

export async function walkSpf(looks: DnsLooks, domain: string, record: SpfRecord): Promise<SpfWalk> {
  const walk: SpfWalk = { terms: 0, voids: [], dead: [] };
  const budget = { records: maxRecords };
  const own = [
    ...record.directives,
    ...(record.redirect === undefined
      ? []
      : [{ kind: 'redirect' as const, domain: record.redirect, text: `redirect=${record.redirect}` }]),
  ];
  for (const term of own) {
    const counted = await countTerm({ looks, domain, budget, above: [domain] }, term);
    walk.terms += counted.terms;
    walk.voids.push(...counted.voids);
    if (counted.dead !== undefined) walk.dead.push({ term: term.text, ...counted.dead });
    if (counted.isCircle) walk.circle ??= term.text;
    if (term.kind === 'ptr') walk.ptr ??= term.text;
    if (walk.terms > spfLimits.terms) walk.tooManyBy ??= term.text;
  }
  return walk;
}

interface Counted {
  terms: number;
  voids: string[];
  /** Where it leads, if there is no record there. */
  dead?: { target: string; isNowhere: boolean };
  isCircle?: boolean;
}

interface Counting {
  looks: DnsLooks;
  domain: string;
  budget: { records: number };
  /** The records that led here. */
  above: readonly string[];
}

type Term = { kind: string; domain?: string; text: string };

async function countTerm(counting: Counting, term: Term): Promise<Counted> {
  const { looks, domain } = counting;
  if (term.kind === 'all' || term.kind === 'ip4' || term.kind === 'ip6') return { terms: 0, voids: [] };
  const target = (term.domain ?? domain).toLowerCase().replace(/\.$/, '');
  // What a macro stands for is known only with a message.
  if (target.includes('%') || term.kind === 'ptr') return { terms: 1, voids: [] };
  if (term.kind === 'include' || term.kind === 'redirect') return countIncluded(counting, target);
  const types = term.kind === 'mx' ? (['MX'] as const) : (['A', 'AAAA'] as const);
  const seen = await Promise.all(types.map((type) => looks.see(target, type)));
  const isVoid = seen.every(({ status }) => status === 'none');
  return { terms: 1, voids: isVoid ? [`${term.text} (${target})`] : [] };
}

async function countIncluded({ looks, budget, above }: Counting, target: string): Promise<Counted> {
  // To go round once more is past the limit, in any case.
  if (above.includes(target)) return { terms: spfLimits.terms + 1, voids: [], isCircle: true };
  if (--budget.records < 0) return { terms: 1, voids: [] };
  const seen = await looks.see(target, 'TXT');
  if (seen.status === 'unknown') return { terms: 1, voids: [] };
  const text = textsOf(seen).find(isSpfRecord);
  if (text === undefined)
    return { terms: 1, voids: [], dead: { target, isNowhere: seen.isNowhere === true } };
  const record = readSpfRecord(text);
  if ('problem' in record) return { terms: 1, voids: [] };
  const inner: Term[] = [...record.directives];
  if (record.redirect !== undefined)
    inner.push({ kind: 'redirect', domain: record.redirect, text: `redirect=${record.redirect}` });
  const below = { looks, domain: target, budget, above: [...above, target] };
  const counted = await Promise.all(inner.map((each) => countTerm(below, each)));
  return {
    terms: 1 + counted.reduce((sum, { terms }) => sum + terms, 0),
    voids: counted.flatMap(({ voids }) => voids),
    isCircle: counted.some(({ isCircle }) => isCircle),
  };
}
