/**
 * What follows from the verdicts: a pure function, and its reason in words. A failed look-up has several possible
 * answers; the decision is made for each, and only where they differ is the message deferred.
 * RFC 9989 §5.3, §7.4 (no refusal for the policy alone), RFC 7208 §8.4 (SPF fail alone decides nothing).
 */

import type { Reply } from '../smtp/reply.ts';
import type { AlignmentMode, DkimVerdict, DmarcPolicy, DmarcVerdict, Verdicts } from './verdicts.ts';

export interface Decision {
  decision: 'accept' | 'junk' | 'reject' | 'defer';
  /** One or two sentences: what decided, and what would have changed it. */
  rule: string;
  /** What the client is told; for reject and defer. */
  reply?: Reply;
}

export function decide(verdicts: Verdicts): Decision {
  const { dmarc } = verdicts;
  const outcomes = new Set(possibleWorlds(verdicts).map(outcomeIn));
  if (dmarc.result === 'permerror') return { decision: 'junk', rule: undecidableRule(dmarc) };
  if (outcomes.size > 1) return defer(verdicts, [...outcomes]);
  if (outcomes.has('reject')) return reject(verdicts);
  if (outcomes.has('junk')) return { decision: 'junk', rule: junkRule(verdicts) };
  return { decision: 'accept', rule: acceptRule(verdicts) };
}

/** How things may be, as far as they matter. */
interface World {
  policy: DmarcPolicy;
  /** DMARC passes. */
  aligned: boolean;
  /** SPF or a DKIM signature passes, for whatever domain. */
  authenticated: boolean;
}

type Outcome = 'accept' | 'junk' | 'reject';

function outcomeIn({ policy, aligned, authenticated }: World): Outcome {
  if (aligned || policy === 'none') return 'accept';
  return policy === 'reject' && !authenticated ? 'reject' : 'junk';
}

/** One world where everything is known; more where look-ups failed. */
function possibleWorlds(verdicts: Verdicts): World[] {
  const { dmarc } = verdicts;
  const identifiers = identifiersOf(verdicts);
  const passing = identifiers.filter(({ result }) => result === 'pass');
  const open = identifiers.filter(({ result }) => result === 'temperror');
  const policies = dmarc.policies.length === 0 ? (['none'] as const) : dmarc.policies;
  const worlds = policies.flatMap((policy) =>
    alignedIn(dmarc, passing, open).flatMap((aligned) =>
      authenticatedIn(verdicts, passing, open).map((authenticated) => ({ policy, aligned, authenticated })),
    ),
  );
  return worlds.filter(({ aligned, authenticated }) => authenticated || !aligned);
}

function authenticatedIn(
  { dkim }: Verdicts,
  passing: readonly Identifier[],
  open: readonly Identifier[],
): boolean[] {
  // What our own limits kept from being checked is no ground for a refusal, and trying later would not help.
  if (passing.length > 0 || dkim.some(isUnchecked)) return [true];
  return open.length > 0 ? [true, false] : [false];
}

const isUnchecked = ({ result, domain }: DkimVerdict): boolean => result === 'policy' && domain === '';

function alignedIn(
  dmarc: DmarcVerdict,
  passing: readonly Identifier[],
  open: readonly Identifier[],
): boolean[] {
  // The author domain is aligned with itself under every record, so that an unknown one changes nothing.
  if (dmarc.result === 'pass' || passing.some(({ domain }) => domain === dmarc.domain)) return [true];
  const undecided = dmarc.result === 'temperror' ? [...passing, ...open] : open;
  return undecided.some((identifier) => mayAlign(identifier, dmarc)) ? [true, false] : [false];
}

/** A domain that SPF or a signature speaks for, if it passes. */
interface Identifier {
  mechanism: 'SPF' | 'DKIM';
  result: string;
  domain: string;
  mode: AlignmentMode;
}

function identifiersOf({ spf, dkim, dmarc }: Verdicts): Identifier[] {
  const { spf: spfMode, dkim: dkimMode } = dmarc.alignment ?? { spf: 'relaxed', dkim: 'relaxed' };
  return [
    { mechanism: 'SPF', result: spf.result, domain: spf.domain, mode: spfMode },
    ...dkim.map(({ result, domain }) => ({ mechanism: 'DKIM' as const, result, domain, mode: dkimMode })),
  ];
}

/** Whether the domain may turn out to be aligned; one that is not known may be any. */
function mayAlign({ domain, mode }: Identifier, dmarc: DmarcVerdict): boolean {
  if (domain === '' || domain === dmarc.domain) return true;
  if (mode === 'strict') return false;
  // Aligned domains share an organizational domain; where it is not known, it has at least the last label (§4.10.2).
  const shared = dmarc.organizationalDomain ?? dmarc.domain.split('.').at(-1) ?? '';
  return domain === shared || domain.endsWith(`.${shared}`);
}

function reject(verdicts: Verdicts): Decision {
  const { dmarc, spf, client } = verdicts;
  const rule = `Refused: ${policyText(dmarc)}, and nothing authenticates the message: ${foundText(verdicts)}. ${remedy(dmarc)}`;
  const lines = [
    `Refused as ${dmarc.domain} asks for (DMARC policy "reject", RFC 9989): nothing authenticates this message.`,
    `SPF is "${spf.result}" for ${spf.domain || 'no domain'} from ${client.address}.`,
    `DKIM: ${dkimText(verdicts)}.`,
    `Send from a host that the SPF record permits, or with a DKIM signature of ${dmarc.domain}.`,
  ];
  return { decision: 'reject', rule, reply: { code: 550, enhanced: '5.7.1', lines } };
}

function defer(verdicts: Verdicts, outcomes: readonly Outcome[]): Decision {
  const words = { accept: 'the inbox', junk: 'the Junk folder', reject: 'a refusal' };
  const choice = outcomes.map((outcome) => words[outcome]).join(' or ');
  const rule = `Deferred: ${openText(verdicts)}; the answer decides between ${choice}. The sender tries again.`;
  const lines = [
    'A DNS look-up that is needed to check the sender failed; please try again later.',
    `It concerns ${openNames(verdicts)}.`,
  ];
  return { decision: 'defer', rule, reply: { code: 451, enhanced: '4.4.3', lines } };
}

function acceptRule({ dmarc, spf, dkim }: Verdicts): string {
  switch (dmarc.result) {
    case 'pass':
      return `Accepted: DMARC passes, ${dmarc.reason}.`;
    case 'none':
      return `Accepted: ${dmarc.reason}; without one neither SPF (${spf.result}) nor DKIM (${dkimWords(dkim)}) decides anything.`;
    case 'fail':
      return `Accepted: DMARC fails, but ${policyText(dmarc)}, which asks for no action.`;
    default:
      return `Accepted: ${dmarc.reason}; but any answer would have led here too.`;
  }
}

function junkRule(verdicts: Verdicts): string {
  const { dmarc } = verdicts;
  const passing = identifiersOf(verdicts).filter(({ result }) => result === 'pass');
  const unchecked = verdicts.dkim.filter(isUnchecked).map(({ reason }) => reason);
  const by = [
    ...passing.map(({ mechanism, domain }) => `${mechanism} passes for ${domain}`),
    ...unchecked,
  ].join(', ');
  if (!dmarc.policies.includes('reject'))
    return `Junk: DMARC fails and ${policyText(dmarc)}. ${remedy(dmarc)}`;
  return `Junk: DMARC fails and ${policyText(dmarc)}; not refused, as ${by} (RFC 9989 §7.4). ${remedy(dmarc)}`;
}

function undecidableRule({ reason }: DmarcVerdict): string {
  return (
    `Junk: ${reason}, so that nobody can say whose DMARC policy applies (RFC 9989 §5.3.1). ` +
    'It would have been judged by its author domain with one From field whose addresses share a domain.'
  );
}

function policyText({ policies, policyDomain, published, domain }: DmarcVerdict): string {
  const testing = published?.testing ? ', softened by t=y' : '';
  return `the policy of ${policyDomain ?? domain} for ${domain} is "${policies.join('" or "')}"${testing}`;
}

function remedy({ domain, alignment }: DmarcVerdict): string {
  const related = alignment?.spf === 'strict' && alignment.dkim === 'strict' ? '' : ' or a related domain';
  return `An SPF pass or a valid DKIM signature of ${domain}${related} would have made it pass.`;
}

function foundText(verdicts: Verdicts): string {
  return `SPF ${verdicts.spf.result} (${verdicts.spf.reason}), DKIM ${dkimText(verdicts)}`;
}

function dkimText({ dkim }: Verdicts): string {
  const [first] = dkim;
  if (first === undefined) return 'the message is not signed';
  const signer = first.domain === '' ? '' : ` of ${first.domain}`;
  const others = dkim.length > 1 ? `, and ${dkim.length - 1} more without a pass` : '';
  return `the signature${signer} is "${first.result}"${others}`;
}

const dkimWords = (dkim: Verdicts['dkim']): string =>
  dkim.map(({ result }) => result).join(', ') || 'not signed';

/** The failed look-ups, each with its reason. */
function openText({ spf, dkim, dmarc }: Verdicts): string {
  const open = [
    ...(spf.result === 'temperror' ? [`SPF of ${spf.domain} is not known (${spf.reason})`] : []),
    ...dkim
      .filter(({ result }) => result === 'temperror')
      .map(({ domain, reason }) => `the DKIM key of ${domain || 'a signature'} is not known (${reason})`),
    ...(dmarc.result === 'temperror' ? [`DMARC of ${dmarc.domain} is not known (${dmarc.reason})`] : []),
  ];
  return open.join('; ');
}

function openNames({ spf, dkim, dmarc }: Verdicts): string {
  const key = dkim.find(({ result }) => result === 'temperror');
  if (dmarc.result === 'temperror') return `the DMARC policy of ${dmarc.domain}`;
  return spf.result === 'temperror'
    ? `the SPF record of ${spf.domain}`
    : `the DKIM key of ${key?.domain || 'a signature'}`;
}
