/**
 * Whether somebody whom the configuration trusts has found that DMARC passed, and vouches for the message as it is now.
 * A fact: what follows from it is not decided here. RFC 8617 §7.2, RFC 8601 §2.2 (the results' grammar).
 */

import type { ArcTrust } from './verdicts.ts';

export interface TrustedSealers {
  /** Domains whose seals are believed, lower-case. */
  sealers: readonly string[];
  /** That of From now. */
  authorDomain: string | undefined;
}

/** One set of a chain that passes. */
interface Vouching {
  instance: number;
  /** Of the seal, and of the signature over the message. */
  domains: readonly string[];
  /** Its signature still holds for the message as it is now. */
  isUnchanged: boolean;
  results: string;
}

/**
 * `sets`: of a chain that passes, the latest first. Results count as long as everybody since is trusted too: whoever
 * handled the message later could have changed it, and an older set may have been made up by anybody.
 */
export function findTrust(
  sets: readonly Vouching[],
  { sealers, authorDomain }: TrustedSealers,
): ArcTrust | undefined {
  if (authorDomain === undefined) return undefined;
  for (const { instance, domains, isUnchanged, results } of sets) {
    const [sealer = ''] = domains;
    if (!domains.every((domain) => sealers.includes(domain))) return undefined;
    const passed = dmarcPass(results);
    // Who names no domain can only have meant this one if From was what it is now.
    if (passed && (passed.domain === authorDomain || (passed.domain === undefined && isUnchanged))) {
      const reason = `${sealer}, a trusted sealer, found that DMARC passed for ${authorDomain} (ARC set ${instance})`;
      return { sealer, instance, authorDomain, reason };
    }
  }
  return undefined;
}

/** The domain for which DMARC passed, where it did; `text` is the value of an Authentication-Results field. */
export function dmarcPass(text: string): { domain: string | undefined } | undefined {
  const results = resultsOf(text).filter((result) => /^dmarc[ \t]*(?:\/[ \t]*\d+[ \t]*)?=/i.test(result));
  const [only] = results;
  if (only === undefined || results.length > 1) return undefined;
  if (!/^[^=]*=[ \t]*pass(?![^\s])/i.test(only)) return undefined;
  const [, from] = /\sheader\.from[ \t]*=[ \t]*"?([^\s"]+)/i.exec(only) ?? [];
  return { domain: from?.slice(from.lastIndexOf('@') + 1).toLowerCase() };
}

/** The parts between semicolons, without comments; what is quoted is neither a comment nor divided. */
function resultsOf(text: string): string[] {
  const results = [''];
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    const escaped = character === '\\' && (isQuoted || depth > 0);
    if (!isQuoted && character === '(') depth++;
    else if (!isQuoted && depth > 0) depth -= character === ')' ? 1 : 0;
    else if (character === ';' && !isQuoted) results.push('');
    // No property begins amid a quoted text: it may be anybody's.
    else results[results.length - 1] += isQuoted && /\s/.test(character) ? '_' : character;
    if (character === '"' && depth === 0) isQuoted = !isQuoted;
    if (escaped) at++;
  }
  return results.map((result) => result.trim());
}
