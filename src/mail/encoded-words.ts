/**
 * Unstructured text such as a Subject, for people: unfolded, its encoded words read (RFC 2047). Never for what decides
 * something: an address is what its octets are.
 */

import type { HeaderField } from './header.ts';

/** Characters of a field that are read; the rest is left as it is. */
const maxLength = 16_384;

/** The payload may be folded, against §2. */
const encodedWord = /=\?([^\s?*]+)(?:\*[^\s?]*)?\?([bq])\?([^?]*)\?=/gi;
/** White space between two of them is none (§6.2). */
const between = /(\?=)\s+(?==\?[^\s?]+\?[bq]\?[^?]*\?=)/gi;

/** What the field says, in one line. */
export function unstructuredText({ raw }: HeaderField): string {
  const folded = raw.toString('utf8', raw.indexOf(':') + 1).trim();
  // White space around a fold is one space. Line by line: a pattern for it takes the square of a run of blanks.
  const lines = decodeEncodedWords(folded).split(/\r?\n/);
  return lines.length === 1 ? lines.join() : lines.map((line) => line.trim()).join(' ');
}

/** Encoded words anywhere, within quotes too, where many writers put them (against §5). */
export function decodeEncodedWords(text: string): string {
  return text
    .slice(0, maxLength)
    .replace(between, '$1')
    .replace(
      encodedWord,
      (word, charset: string, encoding: string, payload: string) =>
        decoded(charset, encoding.toLowerCase(), payload.replace(/\r?\n[ \t]+/g, '')) ?? word,
    );
}

function decoded(charset: string, encoding: string, payload: string): string | undefined {
  const octets = encoding === 'b' ? Buffer.from(payload, 'base64') : quoted(payload);
  // What is beyond ASCII in it is UTF-8, if anything; WHATWG would have it as windows-1252.
  const label = /^us-ascii$/i.test(charset) ? 'utf-8' : charset;
  try {
    return new TextDecoder(label).decode(octets);
  } catch (error) {
    if (error instanceof RangeError) return undefined; // a charset that is not known here
    throw error;
  }
}

/** The "Q" encoding (§4.2). */
const quoted = (payload: string): Buffer =>
  Buffer.concat(
    payload
      .replaceAll('_', ' ')
      .split(/(=[\da-f]{2})/i)
      .map((piece, index) => (index % 2 === 1 ? Buffer.from(piece.slice(1), 'hex') : Buffer.from(piece))),
  );
