/**
 * Tag lists, in which DKIM, ARC and DMARC write their fields and records: `name=value` between semicolons. It knows no
 * tag. RFC 6376 §3.2.
 */

import { trim } from '../util/trim.ts';

/** Values by name, without the white space around them; names are case-sensitive. */
export type Tags = ReadonlyMap<string, string>;

export type TagReading = { tags: Tags; problem?: never } | { tags?: never; problem: string };

const tagName = /^[A-Za-z][A-Za-z0-9_]*$/;
/** VALCHAR and white space between; octets above ASCII are let pass, as `i=` may hold UTF-8 (RFC 8616 §4). */
const tagValue = /^[\t\x20-\x3a\x3c-\x7e\x80-\uffff]*$/;

/** `text` may be folded. A tag that stands twice, or what is no tag, makes the whole list invalid. */
export function readTags(text: string): TagReading {
  const specs = text.replace(/\r?\n/g, '').split(';');
  if (isBlank(specs.at(-1))) specs.pop(); // the last semicolon is optional
  const tags = new Map<string, string>();
  for (const spec of specs) {
    const equals = spec.indexOf('=');
    const name = trim(equals < 0 ? spec : spec.slice(0, equals));
    const value = trim(spec.slice(equals + 1));
    if (equals < 0 || !tagName.test(name) || !tagValue.test(value))
      return { problem: `"${shown(spec)}" is no tag` };
    if (tags.has(name)) return { problem: `the tag ${name.slice(0, 20)}= stands twice` };
    tags.set(name, value);
  }
  return { tags };
}

/** Without any white space, which may stand anywhere in base64 (RFC 6376 §2.10). */
export const withoutSpace = (value: string): string => value.replace(/\s+/g, '');

/** The parts of a value between colons, such as the names of `h=`, without the white space around them. */
export const listOf = (value: string): string[] => value.split(':').map(trim);

const isBlank = (text: string | undefined): boolean => text === undefined || trim(text) === '';

const shown = (spec: string): string =>
  trim(spec)
    .slice(0, 30)
    .replace(/[^\x21-\x7e]+/g, '?');
