/** The header field by which a mailing list is known (RFC 2919 §3): written on what the list sends, looked for on what comes to it. */

import { foldField } from './fold.ts';
import { fieldValue, findFields, type Header } from './header.ts';

/** The list's address as a name below its domain. Quotes and what no name may hold become hyphens. */
export function listId(address: string): string {
  const at = address.lastIndexOf('@');
  const label = address.slice(0, at).replace(/[^\w.-]+/g, '-');
  return `<${label}.${address.slice(at + 1)}>`;
}

export function listField({ address, name }: { address: string; name?: string }): string {
  const words = name === undefined ? [] : quoted(name).split(' ');
  return foldField('List-Id', [...words, listId(address)]);
}

/** Went through the list of that address already. */
export const hasListField = ({ fields }: Header, address: string): boolean =>
  findFields(fields, 'list-id').some((field) =>
    fieldValue(field).toLowerCase().endsWith(listId(address).toLowerCase()),
  );

const quoted = (name: string): string => `"${name.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`;
