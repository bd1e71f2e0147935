/**
 * The names that a part gives itself (RFC 2183 §2.3, RFC 2231), and what they end in. Readers differ in what they show of a name that
 * is made to deceive: everything that any of them may is found.
 */

import { decodeEncodedWords } from './encoded-words.ts';
import type { Entity } from './entity.ts';
import { fieldValue, findFields, type HeaderField } from './header.ts';

/** Characters of a field that is searched for names. */
const maxField = 8 * 1024;

const passedOver = /^[\s.\p{C}]$/u;
/** Nobody sees them, wherever they stand: zero-width ones, marks of direction. */
const invisible = /[\p{Cf}\p{Cc}]/gu;

/** Without what Windows passes over at the end of a name, as it looks: of full-width letters the plain ones. */
export function extensionOf(name: string): string {
  const characters = [...name.normalize('NFKC').replace(invisible, '')];
  // By hand: a pattern for the end of a text is tried at each of its characters.
  while (passedOver.test(characters.at(-1) ?? '')) characters.pop();
  const plain = characters.join('').toLowerCase();
  const dot = plain.lastIndexOf('.');
  const extension = dot < 0 ? '' : plain.slice(dot + 1);
  return extension.length <= 20 && /^[^\s/\\]+$/.test(extension) ? extension : '';
}

/**
 * All that a name may end in: for some systems it ends at a NUL, or a colon begins the name of a stream (`a.exe::$DATA`). Those that
 * are none are left out.
 */
export function endingsOf(name: string): string[] {
  const [toNul = ''] = name.split('\0', 1);
  const colon = name.indexOf(':', 2);
  const readings = [name, toNul, ...(colon < 0 ? [] : [name.slice(0, colon)])];
  return [...new Set(readings.map(extensionOf))].filter((ending) => ending !== '');
}

/** Every name that a part gives itself: readers differ in which one they show. */
export function namesOf({ header }: Entity): string[] {
  const fields = ['content-disposition', 'content-type'].flatMap((name) => findFields(header.fields, name));
  const names = fields.flatMap((field) =>
    valuesOf(field).flatMap((value) => namesIn(value.slice(0, maxField))),
  );
  return [...new Set(names.filter((name) => name !== ''))];
}

/** Unfolded, and where a name may be folded in the middle, without the white space of the fold too. */
function valuesOf(field: HeaderField): string[] {
  const value = fieldValue(field);
  const raw = field.raw.toString('utf8', field.raw.indexOf(':') + 1, maxField).trim();
  return foldedName.test(raw) ? [value, raw.replace(/\r?\n[ \t]+/g, '')] : [value];
}

/** A fold that follows neither the end of a parameter nor its `=`. */
const foldedName = /[^;=\s"]\s?\r?\n[ \t]+[^\s;]/;

/** `name=`, `filename*=`, `filename*0*=` …; unquoted values end at a semicolon only, as readers take them. */
const parameter =
  /(?:^|[;\s])((?:file)?name)(?:\*(\d{1,3}))?(\*)?\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;"]*))/giu;

function namesIn(value: string): string[] {
  const whole: string[] = [];
  /** In pieces (RFC 2231 §3), by the parameter's name. */
  const pieces = new Map<string, string[]>();
  for (const [, name = '', index, star, quoted, plain = ''] of value.matchAll(parameter)) {
    const text = (quoted?.replace(/\\(.)/gsu, '$1') ?? plain).trim();
    const decoded = star === undefined ? text : percentDecoded(text, index);
    if (index === undefined) {
      whole.push(star === undefined ? decodeEncodedWords(decoded) : decoded);
      // Some readers end an unquoted name at its first blank.
      if (quoted === undefined && /\s/.test(decoded)) whole.push(decoded.split(/\s/, 1)[0] ?? '');
    }
    if (index !== undefined)
      pieces.set(name.toLowerCase(), put(pieces.get(name.toLowerCase()) ?? [], Number(index), decoded));
  }
  return [...whole, ...[...pieces.values()].map((parts) => parts.join(''))];
}

const put = (parts: string[], index: number, part: string): string[] => {
  if (index < maxPieces) parts[index] = part;
  return parts;
};
const maxPieces = 100;

/** `charset'language'text` with percent-encoded octets (RFC 2231 §4); only the first piece names the charset. */
function percentDecoded(text: string, index: string | undefined): string {
  const coded = index === undefined || Number(index) === 0 ? text.replace(/^[^']*'[^']*'/, '') : text;
  const octets = Buffer.from(coded, 'utf8')
    .toString('latin1')
    .replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(octets, 'latin1').toString('utf8');
}
