/** Accounts from a CSV file: `address,password` or `address,hash`, one per line, with or without a line of titles. */

import type { AccountRow } from './account-rows.ts';
import { csvRows } from './csv.ts';

export function* accountRows(text: string): Generator<AccountRow> {
  let isFirst = true;
  for (const { line, fields } of csvRows(text)) {
    const isTitles = isFirst && fields?.[0]?.trim().toLowerCase() === 'address';
    isFirst = false;
    if (!isTitles) yield { line, ...readFields(fields) };
  }
}

function readFields(
  fields: readonly string[] | undefined,
): { address: string; secret: string } | { problem: string } {
  if (fields === undefined) return { problem: 'a quote is out of place; "double" the quotes inside quotes' };
  const [address = '', secret = '', ...rest] = withWholeHash(fields);
  if (rest.some((extra) => extra.trim() !== ''))
    return { problem: 'more than two columns; put a password with a comma in "quotes"' };
  if (secret === '') return { problem: 'no password; write address,password' };
  return { address, secret };
}

/** A hash by argon2 holds two commas: without quotes it came in three parts. */
function withWholeHash([address = '', begin = '', ...rest]: readonly string[]): string[] {
  const isBegun = /^(?:\{[\w.-]+\})?\$argon2(?:id|i|d)\$(?:v=\d+\$)?m=\d+$/.test(begin);
  return isBegun
    ? [address, [begin, ...rest.slice(0, 2)].join(','), ...rest.slice(2)]
    : [address, begin, ...rest];
}
