/** Header fields as a milter is shown them: a name, and a value whose folds are LF and white space, as Sendmail has them. */

import type { HeaderField } from '../../mail/header.ts';

const colon = 0x3a;

/** What is no field is not shown: there is no way to. */
export function nameAndValue({ name, raw }: HeaderField): { name: string; value: Buffer }[] {
  if (name === '') return [];
  const at = raw.indexOf(colon);
  return [{ name: raw.toString('latin1', 0, at).trimEnd(), value: raw.subarray(at + 1) }];
}

/** `spaced`: with the space after the colon, which is left out otherwise. */
export function shownValue(value: Buffer, spaced: boolean): Buffer {
  const text = value
    .toString('latin1')
    .replace(/\r?\n$/, '')
    .replaceAll('\r\n', '\n')
    .replaceAll('\0', ' ');
  return Buffer.from(spaced ? text : text.replace(/^ /, ''), 'latin1');
}
