/** Header fields that a filter puts in front of a message: whatever it says, they are fields, and bounded (RFC 5322 §2.2). */

import { bounded, FilterError } from './stream.ts';

export interface AddedField {
  name: string;
  /** What follows the colon, white space first, with folds and without the last line end. */
  value: string;
}

/** Octets of one field. */
export const maxFieldBytes = 16_384;

/**
 * A name of printable ASCII, lines of which all but the first begin with white space, no empty ones, no bare CR. Throws a
 * FilterError where that cannot be had.
 */
export function addedField(name: string, value: string): AddedField {
  if (!/^[\x21-\x39\x3b-\x7e]{1,200}$/.test(name))
    throw new FilterError('lied', `"${bounded(name, 60)}" is no name of a header field`);
  const [first = '', ...others] = value
    .replaceAll('\0', '')
    .trimEnd()
    .split(/\r\n|\r|\n/);
  // An empty line would end the header.
  const folds = others
    .filter((line) => line.trim() !== '')
    .map((line) => (/^[ \t]/.test(line) ? line : `\t${line}`));
  const text = [first, ...folds].join('\r\n');
  const field = { name, value: /^[ \t]/.test(text) ? text : ` ${text}` };
  if (fieldBytes(field) > maxFieldBytes)
    throw new FilterError('lied', `a header field of more than ${maxFieldBytes} octets`);
  return field;
}

export const fieldBytes = ({ name, value }: AddedField): number =>
  Buffer.byteLength(name) + Buffer.byteLength(value) + ':\r\n'.length;

/** As they stand in front of a message. */
export const fieldsText = (fields: readonly AddedField[]): string =>
  fields.map(({ name, value }) => `${name}:${value}\r\n`).join('');
