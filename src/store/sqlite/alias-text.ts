/** An alias's column as text: a JSON list of its targets and, at its end, what makes it a mailing list. */

import type { Alias } from '../account-store.ts';

export const aliasText = ({ targets, list }: Pick<Alias, 'targets' | 'list'>): string =>
  JSON.stringify(list === undefined ? targets : [...targets, list]);

/** Undefined where the text is none of aliasText(). */
export function readAliasText(text: string): Pick<Alias, 'targets' | 'list'> | undefined {
  const parts = parseList(text);
  const last = parts?.at(-1);
  const list = isList(last) ? last : undefined;
  const targets = list === undefined ? parts : parts?.slice(0, -1);
  if (!targets?.every((target) => typeof target === 'string')) return undefined;
  return list === undefined ? { targets } : { targets, list };
}

function parseList(text: string): unknown[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const isList = (value: unknown): value is NonNullable<Alias['list']> =>
  typeof value === 'object' && value !== null && 'owner' in value && 'post' in value;
