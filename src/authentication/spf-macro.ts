/**
 * SPF's macros: domains that are made of what is known of the client and the sender. RFC 7208 §7.
 */

export interface MacroValues {
  /** `%{s}`, `%{l}`, `%{o}`. */
  sender: string;
  /** `%{d}`: the domain whose record it is. */
  domain: string;
  /** `%{i}`: dotted octets, or 32 dotted nibbles. */
  dottedAddress: string;
  /** `%{v}`. */
  version: 'in-addr' | 'ip6';
  /** `%{h}`. */
  helo: string;
  /** `%{p}`: looked up only where it is asked for. */
  validatedName(): Promise<string>;
}

/** A macro; `c`, `r` and `t` are for explanations, which are not fetched, and for what is unknown. */
const expansion = /%\{([slodiphcrtv])(\d*)(r?)([-.+,/_=]*)\}|%([%_-])/gi;

/** Printable ASCII with macros that are whole (`macro-string`); a number of parts is never 0. */
export function isMacroString(text: string): boolean {
  const literal = text.replace(expansion, (_macro, _letter, digits = '') => (/^0+$/.test(digits) ? '%' : ''));
  return /^[\x21-\x24\x26-\x7e]*$/.test(literal);
}

/** Whether its end is known only when the client is. */
const needsName = /%\{p/i;

/** The domain that `spec` stands for, without a final dot; from the left, labels are left out until it fits (§7.3). */
export async function expandDomain(spec: string, values: MacroValues): Promise<string> {
  const name = needsName.test(spec) ? await values.validatedName() : '';
  const expanded = spec.replace(expansion, (whole, letter, digits, reversed, delimiters) =>
    letter === undefined
      ? (escapes[whole] ?? '')
      : expandMacro(macroValue(letter, values, name), { letter, digits, reversed, delimiters }),
  );
  return shortened(expanded.replace(/\.$/, ''));
}

const escapes: Readonly<Record<string, string>> = { '%%': '%', '%_': ' ', '%-': '%20' };

function macroValue(letter: string, values: MacroValues, validatedName: string): string {
  const { sender, domain, dottedAddress, version, helo } = values;
  const at = sender.lastIndexOf('@');
  switch (letter.toLowerCase()) {
    case 's':
      return sender;
    case 'l':
      return sender.slice(0, at);
    case 'o':
      return sender.slice(at + 1);
    case 'd':
      return domain;
    case 'i':
      return dottedAddress;
    case 'p':
      return validatedName;
    case 'h':
      return helo;
    case 'v':
      return version;
    default:
      return ''; // only in explanations
  }
}

interface Transformers {
  letter: string;
  digits: string;
  reversed: string;
  delimiters: string;
}

function expandMacro(value: string, { letter, digits, reversed, delimiters }: Transformers): string {
  const isPlain = digits === '' && reversed === '' && delimiters === '';
  const parts = isPlain ? [value] : splitAt(value, delimiters || '.');
  if (reversed !== '') parts.reverse();
  const kept = digits === '' ? parts : parts.slice(-Number(digits));
  const text = kept.join('.');
  // Upper case asks for URL escapes.
  return letter === letter.toUpperCase()
    ? encodeURIComponent(text).replace(/[!'()*]/g, percentEncoded)
    : text;
}

const percentEncoded = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase()}`;

function splitAt(value: string, delimiters: string): string[] {
  const parts = [''];
  for (const character of value) {
    if (delimiters.includes(character)) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

const longestName = 253;

function shortened(name: string): string {
  let start = 0;
  while (name.length - start > longestName) {
    const dot = name.indexOf('.', start);
    if (dot < 0) break;
    start = dot + 1;
  }
  return name.slice(start);
}
