/**
 * Patterns of senders, as block and allow lists have them: `user@example.org`, `user*@example.com`, `*@example.org`, and for
 * everybody there `example.org`, or `*.example` for that domain and all below it. `*` stands for any characters, none too.
 */

import { parseAddress, parseDomain } from '../mail/address.ts';

/** Characters of a pattern: as many as an address has. */
const maxPattern = 254;

/** What a pattern may be, for error messages. */
export const patternExamples =
  '"user@example.org", "user*@example.com", "*@example.org", "example.org", or "*.example" for that domain and all below it';

/** One form for each: lower-case, NFC, domains as A-labels. Undefined for what is no pattern. */
export function parseSenderPattern(text: string): string | undefined {
  const pattern = text.trim().normalize('NFC').toLowerCase();
  if (pattern.length > maxPattern || /[\s\p{C}<>]/u.test(pattern)) return undefined;
  const at = pattern.lastIndexOf('@');
  const domain = parseDomainPattern(pattern.slice(at + 1), at >= 0);
  if (domain === undefined) return undefined;
  if (at < 0) return domain;
  return at === 0 ? undefined : `${pattern.slice(0, at)}@${domain}`;
}

/** Labels without a star are labels; U-labels have to stand without one beside. `*` alone is a domain behind an `@` only. */
function parseDomainPattern(text: string, isBehindAt: boolean): string | undefined {
  if (text === '*') return isBehindAt ? text : undefined;
  if (!text.includes('*')) return text.startsWith('[') ? literal(text) : parseDomain(text);
  if (text.startsWith('*.') && !text.includes('*', 1)) {
    const parent = parseDomain(text.slice(2));
    return parent && `*.${parent}`;
  }
  return /^[a-z\d*-]+(?:\.[a-z\d*-]+)*$/.test(text) ? text : undefined;
}

const literal = (text: string): string | undefined => parseAddress(`a@${text}`)?.domain;

/**
 * The first pattern that fits an address. `address` is as it was written; that of the null sender, '', fits none: who sends
 * reports is not known by it.
 */
export function findPattern(patterns: readonly string[], address: string): string | undefined {
  if (patterns.length === 0 || address === '') return undefined;
  const { localPart, domain } = partsOf(address);
  return patterns.find((pattern) => {
    const at = pattern.lastIndexOf('@');
    return fitsDomain(pattern.slice(at + 1), domain) && (at < 0 || fitsGlob(pattern.slice(0, at), localPart));
  });
}

/** What cannot be read as an address is compared as it is. */
function partsOf(address: string): { localPart: string; domain: string } {
  const parsed = parseAddress(address);
  const at = address.lastIndexOf('@');
  const { localPart, domain } = parsed ?? {
    localPart: address.slice(0, Math.max(at, 0)),
    domain: address.slice(at + 1),
  };
  return { localPart: localPart.toLowerCase(), domain: domain.toLowerCase() };
}

function fitsDomain(pattern: string, domain: string): boolean {
  const isBelow = pattern.startsWith('*.') && !pattern.includes('*', 1);
  if (isBelow) return domain === pattern.slice(2) || domain.endsWith(pattern.slice(1));
  return fitsGlob(pattern, domain);
}

/** In one pass: what stands between stars is sought from where the last was found, and never sought again. */
function fitsGlob(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return text === pattern;
  if (!text.startsWith(first)) return false;
  let from = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, from);
    if (found < 0) return false;
    from = found + piece.length;
  }
  return text.length - last.length >= from && text.endsWith(last);
}
