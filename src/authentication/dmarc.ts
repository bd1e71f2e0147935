/**
 * DMARC (RFC 9989): what does the author domain ask for, and did anything that passed speak for it? What a failed look-up
 * left open is kept apart from what is known.
 */

import type { Author } from './author.ts';
import type { DmarcRecord } from './dmarc-record.ts';
import {
  applicableRecord,
  dmarcWalker,
  domainExists,
  organizationalDomain,
  type PlacedRecord,
  type Walk,
  type Walker,
} from './dmarc-walk.ts';
import { shownText } from './key-record.ts';
import type { LookUps } from './look-ups.ts';
import type { AlignmentMode, DkimVerdict, DmarcPolicy, DmarcVerdict, SpfVerdict } from './verdicts.ts';

export interface Mechanisms {
  spf: SpfVerdict;
  dkim: readonly DkimVerdict[];
}

/** Domains whose organization is looked for, for alignment; each costs up to eight questions. */
const alignmentWalks = 10;

export interface DmarcChecked {
  dmarc: DmarcVerdict;
  /** With their alignment filled in. */
  dkim: DkimVerdict[];
}

/**
 * Begins to look for the author domain's policy, at once: who sends must not be able to use up the time for it by slow
 * answers to other questions. What has passed is told when it is known.
 */
export function startDmarc(
  lookUps: LookUps,
  author: Author,
): (mechanisms: Mechanisms) => Promise<DmarcChecked> {
  const { domain, problem } = author;
  if (domain === undefined)
    return async ({ dkim }) => ({ dmarc: unknown('permerror', '', problem), dkim: [...dkim] });
  const walker = dmarcWalker(lookUps);
  const discovery = discover(lookUps, walker, domain);
  discovery.catch(() => undefined); // awaited below; something else may reject before
  return async (mechanisms) => align(walker, await discovery, mechanisms);
}

/** What applies to the author domain, or the verdict where nothing does. */
type Discovery = DmarcVerdict | { walk: Walk; applicable: Applicable; policies: Policies };

async function discover(lookUps: LookUps, walker: Walker, domain: string): Promise<Discovery> {
  const walk = await walker(domain);
  const applicable = recordFor(walk);
  if ('result' in applicable) return applicable;
  return { walk, applicable, policies: await policiesFor(lookUps, domain, applicable) };
}

async function align(walker: Walker, found: Discovery, { spf, dkim }: Mechanisms): Promise<DmarcChecked> {
  if ('result' in found) return { dmarc: found, dkim: [...dkim] };
  const { walk, applicable } = found;
  const aligner = new Aligner(walker, walk, alignmentWalks);
  const { alignment } = applicable.record;
  // SPF first: many signatures must not use up what it needs.
  const spfAligned = spf.result === 'pass' && (await aligner.isAligned(spf.domain, alignment.spf));
  const alignedDkim: DkimVerdict[] = [];
  for (const one of dkim) {
    const aligned = one.result === 'pass' && (await aligner.isAligned(one.domain, alignment.dkim));
    alignedDkim.push({ ...one, aligned });
  }
  const aligned = { spf: spfAligned, dkim: alignedDkim.some((one) => one.aligned) };
  return { dmarc: verdictOf({ ...found, aligned, aligner }), dkim: alignedDkim };
}

type Applicable = PlacedRecord & { record: DmarcRecord & Required<Pick<DmarcRecord, 'policies'>> };

/** The record that applies, or the verdict where none does. */
function recordFor(walk: Walk): Applicable | DmarcVerdict {
  const { domain, found, asked, failure } = walk;
  // The author domain's own record applies, whatever could not be looked up above it.
  if (failure !== undefined && found[0]?.domain !== domain) {
    const reason = `the DMARC record of ${domain} could not be looked up: ${failure}`;
    return { ...unknown('temperror', domain, reason), policies: anyPolicy, asked };
  }
  const applicable = failure === undefined ? applicableRecord(walk) : found[0];
  if (applicable === undefined)
    return { ...unknown('none', domain, `no DMARC record applies to ${domain}`), asked };
  if (isUsable(applicable)) return applicable;
  const reason = `the DMARC record of ${applicable.domain} names neither a policy nor where to report`;
  return { ...unknown('none', domain, reason), asked, record: shownText(applicable.record.text) };
}

const isUsable = (placed: PlacedRecord): placed is Applicable => placed.record.policies !== undefined;

const anyPolicy: readonly DmarcPolicy[] = ['none', 'quarantine', 'reject'];

function unknown(result: DmarcVerdict['result'], domain: string, reason: string): DmarcVerdict {
  return { result, domain, policies: [], aligned: { spf: false, dkim: false }, reason };
}

/** Whether domains belong to the author domain. Remembers the first look-up that failed where the answer hung on it. */
class Aligner {
  readonly #walker: Walker;
  readonly #author: Walk;
  #walksLeft: number;
  failure: string | undefined;

  constructor(walker: Walker, author: Walk, walks: number) {
    this.#walker = walker;
    this.#author = author;
    this.#walksLeft = walks;
  }

  /** RFC 9989 §4.4.1, §4.4.2. False too where it cannot be known. */
  async isAligned(domain: string, mode: AlignmentMode): Promise<boolean> {
    const author = this.#author.domain;
    if (domain === author) return true;
    if (mode === 'strict' || domain === '') return false;
    const { failure } = this.#author;
    if (failure !== undefined) {
      // Without any label in common no walk could make them one organization's.
      if (domain.split('.').at(-1) === author.split('.').at(-1)) this.failure ??= failure;
      return false;
    }
    const organization = organizationalDomain(this.#author);
    // A domain's organization is the domain itself or one above it.
    if (domain !== organization && !domain.endsWith(`.${organization}`)) return false;
    return (await this.#organizationOf(domain)) === organization;
  }

  async #organizationOf(domain: string): Promise<string | undefined> {
    if (this.#walksLeft-- <= 0) {
      this.failure ??= `the organization of ${domain} was not looked for, after ${alignmentWalks} others`;
      return undefined;
    }
    const walk = await this.#walker(domain);
    this.failure ??= walk.failure;
    return walk.failure === undefined ? organizationalDomain(walk) : undefined;
  }
}

interface Policies {
  /** More than one where it is not known which applies. */
  possible: readonly DmarcPolicy[];
  failure?: string;
}

/** A record from above applies by `np` to domains that do not exist, by `sp` to others (RFC 9989 §4.10.1). */
async function policiesFor(
  lookUps: LookUps,
  author: string,
  { domain, record: { policies, testing } }: Applicable,
): Promise<Policies> {
  const { p, sp = p, np } = policies;
  const soften = (policy: DmarcPolicy) => (testing ? milder[policy] : policy);
  if (domain === author) return { possible: [soften(p)] };
  if (np === undefined || np === sp) return { possible: [soften(sp)] };
  const exists = await domainExists(lookUps, author);
  if (typeof exists === 'object')
    return { possible: [...new Set([soften(sp), soften(np)])], failure: exists.failure };
  return { possible: [soften(exists ? sp : np)] };
}

/** `t=y` asks for one step less (RFC 9989 §4.7). */
const milder: Record<DmarcPolicy, DmarcPolicy> = { reject: 'quarantine', quarantine: 'none', none: 'none' };

interface Found {
  walk: Walk;
  applicable: Applicable;
  policies: Policies;
  aligned: DmarcVerdict['aligned'];
  aligner: Aligner;
}

function verdictOf({ walk, applicable, policies, aligned, aligner }: Found): DmarcVerdict {
  const { domain, asked } = walk;
  const { record } = applicable;
  const { p, sp, np } = record.policies;
  const failure = aligner.failure ?? policies.failure;
  const result = resultOf(aligned, failure);
  return {
    result,
    domain,
    ...(walk.failure === undefined && { organizationalDomain: organizationalDomain(walk) }),
    policyDomain: applicable.domain,
    published: {
      p,
      ...(sp !== undefined && sp !== p && { sp }),
      ...(np !== undefined && { np }),
      testing: record.testing,
    },
    policies: policies.possible,
    alignment: record.alignment,
    aligned,
    record: shownText(record.text),
    asked,
    reason: result === 'temperror' ? (failure ?? '') : reasonFor(result, domain, aligned),
  };
}

function resultOf({ spf, dkim }: DmarcVerdict['aligned'], failure: string | undefined) {
  if (spf || dkim) return 'pass';
  return failure === undefined ? 'fail' : 'temperror';
}

function reasonFor(result: 'pass' | 'fail', domain: string, aligned: DmarcVerdict['aligned']): string {
  if (result === 'fail') return `nothing that passes is aligned with ${domain}`;
  const by = [...(aligned.spf ? ['SPF'] : []), ...(aligned.dkim ? ['DKIM'] : [])];
  return `${by.join(' and ')} aligned with ${domain}`;
}
