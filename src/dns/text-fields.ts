/**
 * The text records of MTA-STS and TLS-RPT: a version, then fields between semicolons. One grammar for both:
 * RFC 8461 §3.1, RFC 8460 §3.
 */

import { trim } from '../util/trim.ts';

/** A field's name and value, in their order; undefined where the text is no such record. */
export function readFields(text: string, version: string): [name: string, value: string][] | undefined {
  const [head, ...rest] = text.split(';').map(trim);
  if (head !== `v=${version}`) return undefined;
  if (rest.at(-1) === '') rest.pop(); // the delimiter may end the record
  const fields = rest.map(readField);
  return fields.every((field) => field !== undefined) ? fields : undefined;
}

/** Begins with the version: what else there is under this name is somebody else's. */
export const hasVersion = (text: string, version: string): boolean =>
  new RegExp(`^v=${version}[ \\t]*(?:;|$)`).test(text);

function readField(text: string): [string, string] | undefined {
  const [, name, value] = /^([A-Za-z\d][\w.-]{0,31})=([\x20-\x3a\x3c\x3e-\x7e\t]+)$/.exec(text) ?? [];
  return name === undefined || value === undefined ? undefined : [name, value];
}
