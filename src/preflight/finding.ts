/**
 * What a careful receiver will hold against a message: a measured fact each, with the published rule that it breaks where
 * there is one. Nothing here guesses at what anybody's filter will do.
 */

export interface Rule {
  /** Who says so, and what it asks, in our words. */
  text: string;
  /** An RFC's section, or a page's address. */
  source: string;
  /** YYYY-MM-DD: since when it is enforced; absent for standards. */
  since?: string;
}

export interface Finding {
  /** Stable: for scripts, and for docs/PREFLIGHT.md. */
  id: string;
  about: 'message' | 'MIME' | 'size' | 'authentication' | 'address' | 'route' | 'TLS' | 'bulk' | 'content';
  /** `error`: it will not arrive, or a rule says that it is refused; `warning`: a rule is broken; `notice`: to be known. */
  severity: 'good' | 'notice' | 'warning' | 'error';
  /** What was measured, in a sentence. */
  fact: string;
  rule?: Rule;
  /** Absent where nothing is to be done. */
  remedy?: string;
}

/** By what they break: how a finding of a standard's rule is written down. */
export const rfc = (source: string, text: string): Rule => ({ source: `RFC ${source}`, text });

/** Of one kind; a thousand fields or parts with the same fault are one fault. */
const maxOfOneKind = 3;

export function withoutRepeats(found: readonly Finding[]): Finding[] {
  const counts = new Map<string, number>();
  return found.filter(({ id }) => {
    const count = (counts.get(id) ?? 0) + 1;
    counts.set(id, count);
    return count <= maxOfOneKind;
  });
}
