/** Whose name a message bears, and whether that is proven: by SPF, by DKIM or by DMARC, for the domain of the name. */

import type { DkimVerdict } from '../authentication/verdicts.ts';
import type { Facts } from './facts.ts';

export interface Name {
  address: string;
  /** Where it stands. */
  in: 'the envelope' | 'From';
}

/** The names in which it is sent: that of the envelope, and those in From as far as they are known. */
export function namesOf({ reversePath, authors = [] }: Pick<Facts, 'reversePath' | 'authors'>): Name[] {
  return [
    ...(reversePath === '' ? [] : [{ address: reversePath, in: 'the envelope' } as const]),
    ...authors.map((address) => ({ address, in: 'From' }) as const),
  ];
}

export type Proof = { proven: 'yes' | 'no' | 'open'; why: string };

/** Whether the domain of a name has said, or signed, that this is from there. `open`: a look-up failed that could have told. */
export function proofOf(name: Name, { spf, dkim = [], dmarc }: Facts): Proof {
  const domain = domainOf(name.address);
  if (name.in === 'the envelope' && spf?.result === 'pass' && spf.scope === 'mailfrom')
    return { proven: 'yes', why: `SPF passes for ${domain}` };
  const isPassing = dmarc?.result === 'pass' && dmarc.domain === domain;
  if (name.in === 'From' && isPassing && (dmarc.aligned.spf || dkim.some(isWhole)))
    return { proven: 'yes', why: `DMARC passes for ${domain}` };
  const signed = dkim.find(
    (each) => each.result === 'pass' && !each.unsignedOctets && isOver(each.domain, domain),
  );
  if (signed) return { proven: 'yes', why: `the DKIM signature of ${signed.domain} is valid` };
  const isOpen =
    (name.in === 'the envelope' && spf?.result === 'temperror') ||
    (name.in === 'From' && dmarc?.result === 'temperror') ||
    dkim.some(({ result, domain: signer }) => result === 'temperror' && isOver(signer, domain));
  if (isOpen)
    return { proven: 'open', why: `what could prove that it is from ${domain} cannot be looked up` };
  return { proven: 'no', why: `nothing proves that it is from ${domain}` };
}

/** DMARC passes by a signature over a part of the body, too (l=); the rest is anybody's. */
const isWhole = ({ aligned, unsignedOctets }: DkimVerdict): boolean => aligned && !unsignedOctets;

/** A domain, or one above it: whoever has that may sign for both (RFC 6376 §6.3 leaves it to us). */
const isOver = (signer: string, domain: string): boolean =>
  signer !== '' && (domain === signer || domain.endsWith(`.${signer}`)) && signer.includes('.');

/** Those that are proven, the author before the envelope: whom the mail is from. */
export const provenNames = (facts: Facts): Name[] =>
  namesOf(facts)
    .reverse()
    .filter((name) => proofOf(name, facts).proven === 'yes');

export const domainOf = (address: string): string =>
  address.slice(address.lastIndexOf('@') + 1).toLowerCase();
