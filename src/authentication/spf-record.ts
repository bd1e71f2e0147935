/**
 * SPF records: one text into its terms, checked as a whole before any of it is used. It asks nothing and expands nothing.
 * RFC 7208 §4.5, §4.6.1, §12.
 */

import { parseIpv4 } from '../dns/ip.ts';
import { ipv6Octets } from './spf-address.ts';
import { isMacroString } from './spf-macro.ts';

export type Qualifier = '+' | '-' | '~' | '?';

export type Mechanism =
  | { kind: 'all' }
  | { kind: 'include'; domain: string }
  | { kind: 'exists'; domain: string }
  | { kind: 'ptr'; domain?: string }
  | { kind: 'a'; domain?: string; bits4: number; bits6: number }
  | { kind: 'mx'; domain?: string; bits4: number; bits6: number }
  /** `octets`: of the network's address, four or sixteen. */
  | { kind: 'ip4' | 'ip6'; octets: readonly number[]; bits: number };

/** `text`: as it stands in the record. */
export type Directive = Mechanism & { qualifier: Qualifier; text: string };

export interface SpfRecord {
  directives: readonly Directive[];
  /** `redirect=`, a domain-spec. */
  redirect?: string;
  /** `exp=`, a domain-spec. */
  exp?: string;
  text: string;
}

/** `v=spf1`, then a space or nothing (§4.5). */
export const isSpfRecord = (text: string): boolean => /^v=spf1(?: |$)/i.test(text);

/** Terms that are read; a record of more is in error. An answer over TCP could hold twenty thousand. */
const mostTerms = 1000;

/** Undefined terms are what makes a record invalid: then this names the first of them. */
export function readSpfRecord(text: string): SpfRecord | { problem: string } {
  const terms = text.split(/ +/).slice(1);
  if (terms.at(-1) === '') terms.pop();
  if (terms.length > mostTerms) return { problem: `it has more than ${mostTerms} terms` };
  const directives: Directive[] = [];
  const modifiers = new Map<string, string>();
  for (const term of terms) {
    const [, name, value = ''] = /^([a-z][a-z\d._-]*)=(.*)$/is.exec(term) ?? [];
    if (name === undefined) {
      const directive = readDirective(term);
      if (directive === undefined) return { problem: `"${term.slice(0, 60)}" is no term of SPF` };
      directives.push(directive);
      continue;
    }
    const problem = findModifierProblem(name.toLowerCase(), value, modifiers);
    if (problem !== undefined) return { problem };
    modifiers.set(name.toLowerCase(), value);
  }
  const redirect = modifiers.get('redirect');
  const exp = modifiers.get('exp');
  return {
    directives,
    ...(redirect !== undefined && { redirect }),
    ...(exp !== undefined && { exp }),
    text,
  };
}

/** By the answer's own records: a resolver that keeps an answer gives the same ones again. */
const readings = new WeakMap<object, { reading: SpfRecord | { problem: string } | undefined }>();

/** The one SPF record among those of a name; several are an error (§4.5). */
export function readSpfAnswer(records: readonly string[][]): SpfRecord | { problem: string } | undefined {
  const known = readings.get(records);
  if (known) return known.reading;
  const [text, ...others] = records.map((strings) => strings.join('')).filter(isSpfRecord);
  const several = { problem: 'there are several' };
  const reading = text === undefined ? undefined : others.length > 0 ? several : readSpfRecord(text);
  readings.set(records, { reading });
  return reading;
}

/** `redirect` and `exp` stand once and name a domain; what others mean nobody knows (§6). */
function findModifierProblem(
  name: string,
  value: string,
  known: ReadonlyMap<string, string>,
): string | undefined {
  if (name !== 'redirect' && name !== 'exp')
    return isMacroString(value) ? undefined : `"${name.slice(0, 60)}=" has no macro string`;
  if (known.has(name)) return `"${name}=" stands twice`;
  return isDomainSpec(value) ? undefined : `"${name}=" names no domain`;
}

function readDirective(text: string): Directive | undefined {
  const [, sign = '', name = '', rest = ''] = /^([-+~?]?)([a-z\d]+)([:/].*)?$/is.exec(text) ?? [];
  const mechanism = readMechanism(name.toLowerCase(), rest);
  // The pattern lets no other sign through.
  return mechanism && { ...mechanism, qualifier: (sign || '+') as Qualifier, text };
}

function readMechanism(name: string, rest: string): Mechanism | undefined {
  switch (name) {
    case 'all':
      return rest === '' ? { kind: 'all' } : undefined;
    case 'include':
    case 'exists':
      return isDomainSpec(rest.slice(1)) && rest.startsWith(':')
        ? { kind: name, domain: rest.slice(1) }
        : undefined;
    case 'ptr':
      if (rest === '') return { kind: 'ptr' };
      return rest.startsWith(':') && isDomainSpec(rest.slice(1))
        ? { kind: 'ptr', domain: rest.slice(1) }
        : undefined;
    case 'a':
    case 'mx':
      return readAddressed(name, rest);
    case 'ip4':
    case 'ip6':
      return rest.startsWith(':') ? readNetwork(name, rest.slice(1)) : undefined;
    default:
      return undefined;
  }
}

/** `a:domain/24//64`; a slash may belong to a macro of the domain, so that the lengths are read from the end (§5.6). */
function readAddressed(kind: 'a' | 'mx', rest: string): Mechanism | undefined {
  const [lengths = '', bits4, bits6] = /(?:\/(\d{1,2}))?(?:\/\/(\d{1,3}))?$/.exec(rest) ?? [];
  const lengths4 = readLength(bits4, 32);
  const lengths6 = readLength(bits6, 128);
  if (lengths4 === undefined || lengths6 === undefined) return undefined;
  const network = { kind, bits4: lengths4, bits6: lengths6 };
  const domain = rest.slice(0, rest.length - lengths.length);
  if (domain === '') return network;
  return domain.startsWith(':') && isDomainSpec(domain.slice(1))
    ? { ...network, domain: domain.slice(1) }
    : undefined;
}

function readNetwork(kind: 'ip4' | 'ip6', text: string): Mechanism | undefined {
  const [address = '', length, ...more] = text.split('/');
  const octets = kind === 'ip4' ? parseIpv4(address) : ipv6Octets(address);
  const bits = readLength(length, kind === 'ip4' ? 32 : 128);
  return octets && bits !== undefined && more.length === 0 ? { kind, octets, bits } : undefined;
}

/** The whole address where nothing is said; without leading zeros (§12). */
function readLength(text: string | undefined, most: number): number | undefined {
  if (text === undefined) return most;
  return /^(?:0|[1-9]\d{0,2})$/.test(text) && Number(text) <= most ? Number(text) : undefined;
}

/** A macro string that ends in a macro or in a label that can be a top-level domain's (`domain-spec`, §7.1). */
function isDomainSpec(text: string): boolean {
  // What only an explanation can know is in no name (§7.2).
  if (!isMacroString(text) || /%\{[crt]/i.test(text)) return false;
  if (/%\{[^}]*\}$|%[%_-]$/.test(text)) return true;
  const [, topLabel] = /\.([a-z\d-]+)\.?$/i.exec(text) ?? [];
  return topLabel !== undefined && !/^-|-$/.test(topLabel) && /[a-z-]/i.test(topLabel);
}
