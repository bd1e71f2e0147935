/**
 * Header fields as DKIM and ARC sign them: both canonicalizations (RFC 6376 §3.4.1, §3.4.2), and a signature field
 * without its signature (§3.7). It works on octets (latin1), because a header may hold UTF-8 or anything else.
 */

import type { Canonicalization } from './canonical-body.ts';

/** `raw` is one field with its folds; the result has no final CRLF. */
export function canonicalField(raw: Buffer, canonicalization: Canonicalization): string {
  return canonicalization === 'relaxed' ? relaxedField(raw) : simpleField(raw);
}

/** As it is. */
function simpleField(raw: Buffer): string {
  return raw.toString('latin1').replace(/\r?\n$/, '');
}

/** `name:value`, unfolded. */
export function relaxedField(raw: Buffer): string {
  const text = raw.toString('latin1').replace(/\r?\n/g, '');
  const colon = text.indexOf(':');
  const name = text.slice(0, colon).replace(/[ \t]/g, '').toLowerCase();
  // Every step is linear in the length of the field, whatever it holds.
  const value = text
    .slice(colon + 1)
    .replace(/[ \t]+/g, ' ')
    .replace(/^ | $/g, '');
  return `${name}:${value}`;
}

/** The field with an empty `b=`: what its own signature covers. */
export function withoutSignature(raw: Buffer): Buffer {
  const text = raw.toString('latin1');
  const colon = text.indexOf(':') + 1;
  const end = /\r?\n$/.exec(text)?.[0] ?? '';
  const tags = text.slice(colon, text.length - end.length).split(';');
  const emptied = tags.map((tag) => (/^\s*b\s*=/.test(tag) ? tag.slice(0, tag.indexOf('=') + 1) : tag));
  return Buffer.from(text.slice(0, colon) + emptied.join(';') + end, 'latin1');
}
