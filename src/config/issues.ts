/** valibot's issues in our words. Only the kinds that `schema.ts` can raise; what they say comes from `values.ts`. */

import type * as v from 'valibot';
import type { Finding } from './draft.ts';
import { quote } from './kinds.ts';
import { findNearest } from './nearest.ts';
import { formatKey, type KeyPath } from './problem.ts';
import { knownKeys } from './schema.ts';

/** The keys of every table, by its path without list indexes; '' is the top of the file. */
export type KnownKeys = ReadonlyMap<string, readonly string[]>;

export function toFindings(issues: readonly v.BaseIssue<unknown>[], known: KnownKeys = knownKeys): Finding[] {
  return issues.map((issue) => {
    const path = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
    const { type, input, expected, message } = issue;
    if (type === 'raw_check') return unknownKey(path, known);
    if (type === 'custom') return wrongShape({ path, input, example: '{ … }' }, 'a table', known);
    if (type === 'array') return wrongShape({ path, input, example: message }, 'a list', known);
    const what = input === undefined ? 'is missing' : `${quote(input)} is not ${expected}`;
    return { path, what, remedy: message };
  });
}

function unknownKey(path: KeyPath, known: KnownKeys): Finding {
  const table = tableOf(path.slice(0, -1));
  const key = String(path.at(-1));
  const here = known.get(table) ?? [];
  const nearest = findNearest(key, here);
  const elsewhere = [...known].find(([name, keys]) => name !== table && keys.includes(key))?.[0];
  let remedy = `Remove it. Known here: ${here.join(', ')}.`;
  if (here.includes(`${key}File`))
    remedy = `Secrets do not stand in this file: ${key}File names the one that holds it.`;
  else if (nearest !== undefined) remedy = `Did you mean ${nearest}?`;
  else if (elsewhere === '') remedy = 'It belongs at the top of the file, before the first [table].';
  else if (elsewhere !== undefined) remedy = `It belongs in ${header(elsewhere)}.`;
  return { path, what: 'there is no such key', remedy };
}

/** A table or a list was expected, and something else is there. */
function wrongShape(
  { path, input, example }: { path: KeyPath; input: unknown; example: string },
  expected: string,
  known: KnownKeys,
): Finding {
  const table = tableOf(path);
  const line = `${formatKey(path.slice(-1))} = ${example}`;
  if (input === undefined) return { path, what: 'is missing', remedy: `Add it: ${line}.` };
  const what = `${quote(input)} is not ${expected}`;
  if (known.has(table))
    return { path, what, remedy: `Write it as ${header(table)}, with its keys on the lines below.` };
  return { path, what, remedy: `Write it in brackets: ${line}.` };
}

/** `['listener', 2]` → `listener`. */
const tableOf = (path: KeyPath): string => path.filter((part) => typeof part === 'string').join('.');

/** Tables that may stand there several times. */
const lists = new Set([
  'listener',
  'domain',
  'certificate',
  'filter',
  'policy',
  'policy.checks',
  'transport',
  'site',
  'source',
  'sendmail.senders',
  'receiver',
  'receiver.phase',
]);

const header = (table: string): string => {
  if (table === 'domain.dkim') return 'dkim = { … } of a [[domain]]';
  return lists.has(table) ? `[[${table}]]` : `[${table}]`;
};
