/**
 * Which domain a message is proven to come from, by what is written in From. Unlike DMARC it needs no record of the author
 * domain: it says who speaks, and not what the domain wants to be done.
 */

import type { Verdicts } from './verdicts.ts';

type Known = Pick<Verdicts, 'spf' | 'dkim' | 'dmarc'>;

export interface ProvenAuthor {
  /** The author domain; '' where nothing proves it. */
  domain: string;
  /** By a signature: it covers what the message says, too. */
  signed: boolean;
}

/** A domain counts for those below it, and for those above it (relaxed alignment, RFC 9989 §3.2.10.1, without its record). */
export function provenAuthor({ spf, dkim, dmarc }: Known): ProvenAuthor {
  const { domain } = dmarc;
  if (domain === '') return { domain, signed: false };
  const signed = dkim.some(
    (each) =>
      each.result === 'pass' && !each.unsignedOctets && (each.aligned || isRelated(each.domain, domain)),
  );
  const sent = spf.result === 'pass' && (dmarc.aligned.spf || isRelated(spf.domain, domain));
  return { domain: signed || sent ? domain : '', signed };
}

/** One is the other, or lies in it: alignment as far as it shows without a DMARC record. A single label is no domain of anybody. */
export function isRelated(one: string, other: string): boolean {
  if (!one.includes('.') || !other.includes('.')) return one !== '' && one === other;
  return one === other || one.endsWith(`.${other}`) || other.endsWith(`.${one}`);
}
