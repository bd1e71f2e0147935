/** zod's issues in our words. Only the kinds that `schema.ts` can raise; the texts of scalar values come from `values.ts`. */

import type { z } from 'zod';
import type { Finding } from './draft.ts';
import { findNearest } from './nearest.ts';
import { formatKey, type KeyPath } from './problem.ts';
import { knownKeys } from './schema.ts';
import { quote } from './values.ts';

export function toFindings(error: z.ZodError): Finding[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key));
    if (issue.code === 'invalid_type') return [wrongShape(path, issue.expected, issue.input)];
    const remedy = issue.code === 'custom' ? String(issue.params?.remedy) : 'See docs for this key.';
    return [{ path, what: issue.message, remedy }];
  });
}

function unknownKey(path: KeyPath, key: string): Finding {
  const table = tableOf(path);
  const here = knownKeys.get(table) ?? [];
  const nearest = findNearest(key, here);
  const elsewhere = [...knownKeys].find(([name, keys]) => name !== table && keys.includes(key))?.[0];
  let remedy = `Remove it. Known here: ${here.join(', ')}.`;
  if (nearest !== undefined) remedy = `Did you mean ${nearest}?`;
  else if (elsewhere === '') remedy = 'It belongs at the top of the file, before the first [table].';
  else if (elsewhere !== undefined) remedy = `It belongs in ${header(elsewhere)}.`;
  return { path: [...path, key], what: 'there is no such key', remedy };
}

/** A table or a list was expected, and something else is there. */
function wrongShape(path: KeyPath, expected: string, input: unknown): Finding {
  const table = tableOf(path);
  const what = `${quote(input)} is not ${expected === 'array' ? 'a list' : 'a table'}`;
  if (knownKeys.has(table))
    return { path, what, remedy: `Write it as ${header(table)}, with its keys on the lines below.` };
  return { path, what, remedy: `Write it in brackets: ${formatKey(path.slice(-1))} = ["…"].` };
}

/** `['listener', 2]` → `listener`. */
const tableOf = (path: KeyPath): string => path.filter((part) => typeof part === 'string').join('.');

const header = (table: string): string => {
  if (table === 'domain.dkim') return 'dkim = { … } of a [[domain]]';
  return table === 'listener' || table === 'domain' ? `[[${table}]]` : `[${table}]`;
};
