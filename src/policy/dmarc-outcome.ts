/**
 * What the author domain's DMARC policy asks for, as far as it is known. A failed look-up leaves several answers open, and
 * all of them are given: only where they lead to different ends does it matter.
 * RFC 9989 §5.3, §7.4 (no refusal for the policy alone), RFC 7208 §8.4 (SPF fail alone decides nothing).
 */

import type {
  AlignmentMode,
  ArcVerdict,
  DkimVerdict,
  DmarcPolicy,
  DmarcVerdict,
  SpfVerdict,
} from '../authentication/verdicts.ts';

/** What DMARC is made of. */
export interface Authentication {
  spf: SpfVerdict;
  dkim: readonly DkimVerdict[];
  dmarc: DmarcVerdict;
  arc?: ArcVerdict;
}

/**
 * `nothing`: it passes, or no policy asks for anything. `quarantine` also where it asks for refusal while SPF or a signature
 * passes for another domain. `undecidable`: nobody can say whose policy applies.
 */
export type DmarcOutcome = 'nothing' | 'quarantine' | 'reject' | 'undecidable';

export const dmarcOutcomes: readonly DmarcOutcome[] = ['nothing', 'quarantine', 'reject', 'undecidable'];

/** One where everything is known; more where look-ups failed. */
export function possibleOutcomes(found: Authentication): ReadonlySet<DmarcOutcome> {
  if (found.dmarc.result === 'permerror') return new Set(['undecidable'] as const);
  // Whoever is trusted has seen it pass before it was passed on, which breaks what it passed by (RFC 8617 §7.2).
  if (found.arc?.trusted) return new Set(['nothing'] as const);
  return new Set(possibleWorlds(found).map(outcomeIn));
}

/** How things may be, as far as they matter. */
interface World {
  policy: DmarcPolicy;
  /** DMARC passes. */
  aligned: boolean;
  /** SPF or a DKIM signature passes, for whatever domain. */
  authenticated: boolean;
}

function outcomeIn({ policy, aligned, authenticated }: World): DmarcOutcome {
  if (aligned || policy === 'none') return 'nothing';
  return policy === 'reject' && !authenticated ? 'reject' : 'quarantine';
}

function possibleWorlds(found: Authentication): World[] {
  const { dmarc } = found;
  const identifiers = identifiersOf(found);
  const passing = identifiers.filter(({ result }) => result === 'pass');
  const open = identifiers.filter(({ result }) => result === 'temperror');
  const policies = dmarc.policies.length === 0 ? (['none'] as const) : dmarc.policies;
  const worlds = policies.flatMap((policy) =>
    alignedIn(dmarc, passing, open).flatMap((aligned) =>
      authenticatedIn(found, passing, open).map((authenticated) => ({ policy, aligned, authenticated })),
    ),
  );
  return worlds.filter(({ aligned, authenticated }) => authenticated || !aligned);
}

function authenticatedIn(
  { dkim }: Authentication,
  passing: readonly Identifier[],
  open: readonly Identifier[],
): boolean[] {
  // What our own limits kept from being checked is no ground for a refusal, and trying later would not help.
  if (passing.length > 0 || dkim.some(isUnchecked)) return [true];
  return open.length > 0 ? [true, false] : [false];
}

export const isUnchecked = ({ result, domain }: DkimVerdict): boolean => result === 'policy' && domain === '';

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
export interface Identifier {
  mechanism: 'SPF' | 'DKIM';
  result: string;
  domain: string;
  mode: AlignmentMode;
}

export function identifiersOf({ spf, dkim, dmarc }: Authentication): Identifier[] {
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
