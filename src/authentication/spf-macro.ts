/**
 * SPF's macros: domains, and explanations, that are made of what is known of the client and the sender. RFC 7208 §7.
 */

export interface MacroValues {
  /** `%{s}`, `%{l}`, `%{o}`. */
  sender: string;
  /** `%{d}`: the domain whose record it is. */
  domain: string;
  /** `%{c}`: as people write it. */
  address: string;
  /** `%{i}`: dotted octets, or 32 dotted nibbles. */
  dottedAddress: string;
  /** `%{v}`. */
  version: 'in-addr' | 'ip6';
  /** `%{h}`. */
  helo: string;
  /** `%{p}`: looked up only where it is asked for. */
  validatedName(): Promise<string>;
  /** `%{r}` and `%{t}`: in explanations alone, as is `%{c}`. */
  receiver?: Receiver;
}

/** Who asks. */
export interface Receiver {
  hostname: string;
  /** ms since the epoch. */
  now: number;
}

/** A macro; `c`, `r` and `t` are for explanations. */
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
  const expanded = await expandText(spec, values);
  return shortened(expanded.replace(/\.$/, ''));
}

/** The text with what its macros stand for. */
export async function expandText(text: string, values: MacroValues): Promise<string> {
  const name = needsName.test(text) ? await values.validatedName() : '';
  return text.replace(expansion, (whole, letter, digits, reversed, delimiters) =>
    letter === undefined
      ? (escapes[whole] ?? '')
      : expandMacro(macroValue(letter, values, name), { letter, digits, reversed, delimiters }),
  );
}

const escapes: Readonly<Record<string, string>> = { '%%': '%', '%_': ' ', '%-': '%20' };

function macroValue(letter: string, values: MacroValues, validatedName: string): string {
  const { sender, domain, address, dottedAddress, version, helo, receiver } = values;
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
    case 'c':
      return address;
    case 'r':
      return receiver?.hostname ?? 'unknown';
    case 't':
      return receiver ? String(Math.floor(receiver.now / 1000)) : '';
    default:
      throw new Error(`no macro has the letter ${letter}`);
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
