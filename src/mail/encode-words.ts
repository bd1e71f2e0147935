/**
 * Header fields that were written with characters beyond ASCII, made such that any server takes them (RFC 2047): text becomes
 * encoded words in UTF-8, what is ASCII stays octet for octet. Reading them is encoded-words.ts's.
 */

import { isAscii, isUtf8 } from 'node:buffer';
import type { HeaderField } from './header.ts';

/** Octets of text in one word: with its frame that is 72 characters, of 75 that are allowed (§2). */
const wordBytes = 45;

/** Names before addresses, and comments, are text in these (§5); addresses are not. */
const addressFields =
  /^(?:resent-)?(?:from|sender|to|cc|bcc|reply-to)$|^(?:disposition-notification-to|errors-to)$/;
/** Their values are of a grammar in which no encoded word has a place. */
const structuredFields =
  /^(?:$|content-|mime-version|(?:resent-)?(?:date|message-id)$|references|in-reply-to|received|return-path|dkim-|arc-|authentication-results|list-(?!id)|auto-submitted)/;

/** Longer ones are nobody's text. */
const maxFieldBytes = 65_536;

/** A quoted string, a comment without another in it, words, or a special: no octet is looked at twice, closed or not. */
const tokens = /"((?:[^"\\]|\\.)*)"?|\(((?:[^()\\]|\\.)*)\)?|([^"(),:;<>]+)|./gs;

/** The field as it is to be sent; as it was where nothing is to be done, or nothing can be. Octets that are not UTF-8 are Windows-1252. */
export function encodeField({ name, raw }: HeaderField): Buffer {
  if (isAscii(raw) || raw.length > maxFieldBytes || structuredFields.test(name)) return raw;
  const text = isUtf8(raw) ? raw.toString('utf8') : new TextDecoder('windows-1252').decode(raw);
  const colon = text.indexOf(':') + 1;
  const [title, value] = [text.slice(0, colon), text.slice(colon)];
  const encoded = addressFields.test(name) ? encodeNames(value) : encodeText(value);
  return Buffer.from(title + encoded, 'utf8');
}

/** Of a name before an address: encoded words, or a quoted string. */
export function encodeName(name: string): string {
  return isAscii(Buffer.from(name)) ? `"${name.replace(/["\\]/g, '\\$&')}"` : encodedWords(name);
}

/** What is a comment, and what is words or a quoted string before `<`. */
function encodeNames(value: string): string {
  const found = [...value.matchAll(tokens)];
  const encoded = found.map(([token, quoted, comment, words = ''], index) => {
    if (isAscii(Buffer.from(token))) return token;
    if (comment !== undefined) return token.endsWith(')') ? `(${encodedWords(unescaped(comment))})` : token;
    if (!isBeforeAngle(found, index)) return token;
    if (quoted !== undefined) return encodedWords(unescaped(quoted));
    const name = words.trim();
    const start = words.indexOf(name);
    return words.slice(0, start) + encodedWords(name) + words.slice(start + name.length);
  });
  return encoded.join('');
}

function isBeforeAngle(found: readonly RegExpExecArray[], index: number): boolean {
  const [next = ''] = found[index + 1] ?? [];
  const [token = ''] = next.trim() === '' ? (found[index + 2] ?? []) : [next];
  return token === '<';
}

const unescaped = (text: string): string => text.replace(/\\(.)/gs, '$1');

/** From the first word that is not ASCII to the last one: white space between two encoded words is none (§6.2). */
function encodeText(value: string): string {
  const pieces = value.split(/(\s+)/); // words at even places
  const isPlain = (piece: string) => isAscii(Buffer.from(piece));
  const first = pieces.findIndex((piece) => !isPlain(piece));
  const last = pieces.findLastIndex((piece) => !isPlain(piece));
  const middle = pieces.slice(first, last + 1).join('');
  return [...pieces.slice(0, first), encodedWords(middle), ...pieces.slice(last + 1)].join('');
}

/** One on a line, each of whole characters (§5). */
function encodedWords(text: string): string {
  const words: string[] = [];
  let word = '';
  for (const character of text.replace(/\r?\n/g, '')) {
    if (Buffer.byteLength(word + character) > wordBytes) {
      words.push(word);
      word = '';
    }
    word += character;
  }
  return [...words, word].map((one) => `=?utf-8?b?${Buffer.from(one).toString('base64')}?=`).join('\r\n ');
}
