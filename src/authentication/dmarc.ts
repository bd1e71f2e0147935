/**
 * DMARC (RFC 9989): what does the author domain ask for, and did anything that passed speak for it? mailauth walks the
 * tree and compares the domains; this file keeps apart what is known from what a failed look-up left open.
 */

import { evaluateDmarc } from 'mailauth/lib/dmarc/index.js';
import type { Author } from './author.ts';
import type { LookUps } from './look-ups.ts';
import type { DkimVerdict, DmarcPolicy, DmarcVerdict, SpfVerdict } from './verdicts.ts';

export interface Mechanisms {
  spf: SpfVerdict;
  dkim: readonly DkimVerdict[];
}

/** The DMARC verdict, and the DKIM verdicts with their alignment filled in. */
export async function checkDmarc(
  lookUps: LookUps,
  author: Author,
  { spf, dkim }: Mechanisms,
): Promise<{ dmarc: DmarcVerdict; dkim: DkimVerdict[] }> {
  if (author.domain === undefined)
    return { dmarc: unknown('permerror', '', author.problem), dkim: [...dkim] };
  const passing = dkim.filter(({ result }) => result === 'pass');
  try {
    const { response, reason, dkimAligned } = await evaluateDmarc({
      headerFrom: [`author@${author.domain}`],
      fromFields: 1,
      spfDomains: spf.result === 'pass' ? [spf.domain] : [],
      dkimDomains: passing.map(({ domain }) => ({ domain })),
      resolver: lookUps.resolve,
      strict: true,
    });
    const aligned = dkim.map((one) => ({
      ...one,
      aligned: passing.includes(one) && !!dkimAligned?.has(one.domain),
    }));
    const dmarc = response ? toVerdict(author.domain, response) : unknown('permerror', '', `From: ${reason}`);
    return { dmarc, dkim: aligned };
  } catch (error) {
    return {
      dmarc: unknown('permerror', author.domain, `cannot be evaluated: ${String(error)}`),
      dkim: [...dkim],
    };
  }
}

type Evaluation = Exclude<Awaited<ReturnType<typeof evaluateDmarc>>['response'], false>;

const anyPolicy: readonly DmarcPolicy[] = ['none', 'quarantine', 'reject'];

function unknown(result: DmarcVerdict['result'], domain: string, reason: string): DmarcVerdict {
  return { result, domain, policies: [], aligned: { spf: false, dkim: false }, reason };
}

function toVerdict(domain: string, evaluation: Evaluation): DmarcVerdict {
  const { status, p, policyDomain } = evaluation;
  if (status.result === 'none') return unknown('none', domain, `no DMARC record applies to ${domain}`);
  if (p === undefined || policyDomain === undefined) {
    const reason = `the DMARC record of ${domain} could not be looked up: ${evaluation.error ?? 'no answer'}`;
    return { ...unknown('temperror', domain, reason), policies: anyPolicy };
  }
  const { alignment, sp, np, testMode = false } = evaluation;
  const result = status.result === 'pass' || status.result === 'fail' ? status.result : 'temperror';
  const aligned = { spf: alignment?.spf.result !== undefined, dkim: alignment?.dkim.result !== undefined };
  return {
    result,
    domain,
    ...(evaluation.orgRecord === null ? {} : { organizationalDomain: evaluation.domain }),
    policyDomain,
    published: { p, ...(sp && sp !== p && { sp }), ...(np && { np }), testing: testMode },
    policies: possiblePolicies(domain, evaluation),
    alignment: {
      spf: alignment?.spf.strict ? 'strict' : 'relaxed',
      dkim: alignment?.dkim.strict ? 'strict' : 'relaxed',
    },
    aligned,
    reason: reasonFor(result, domain, aligned, evaluation.error),
  };
}

/**
 * Which of `sp` and `np` applies to a subdomain depends on whether it exists (RFC 9989 §4.10.1). Where DMARC ended in a
 * DNS failure, it may have been that very question.
 */
function possiblePolicies(domain: string, { status, policy, policyDomain, p, sp, np, testMode }: Evaluation) {
  const open = status.result === 'temperror' && policyDomain !== domain && np !== undefined;
  if (!open) return policy === undefined ? anyPolicy : [policy];
  const candidates = [sp ?? p ?? 'none', np].map((candidate) => (testMode ? milder[candidate] : candidate));
  return [...new Set(candidates)];
}

/** `t=y` asks for one step less (RFC 9989 §4.7). */
const milder: Record<DmarcPolicy, DmarcPolicy> = { reject: 'quarantine', quarantine: 'none', none: 'none' };

function reasonFor(
  result: DmarcVerdict['result'],
  domain: string,
  aligned: DmarcVerdict['aligned'],
  error = 'a look-up failed',
): string {
  if (result === 'temperror') return error;
  if (result === 'fail') return `nothing that passes is aligned with ${domain}`;
  const by = [...(aligned.spf ? ['SPF'] : []), ...(aligned.dkim ? ['DKIM'] : [])];
  return `${by.join(' and ')} aligned with ${domain}`;
}
