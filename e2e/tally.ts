/** Counting numbered messages: which are missing, which are there more than once. */

import { numberIn } from './peers/flood.ts';

/** The numbers of those messages that have one. */
export const numbersIn = (messages: readonly Buffer[]): number[] =>
  messages.map(numberIn).filter((number) => number !== undefined);

/** What was expected and not found. */
export function missing<T>(expected: Iterable<T>, found: Iterable<T>): T[] {
  const there = new Set(found);
  return [...expected].filter((each) => !there.has(each));
}

/** What was found more than once, with how often. */
export function repeated<T>(found: Iterable<T>): Map<T, number> {
  const copies = new Map<T, number>();
  for (const each of found) copies.set(each, (copies.get(each) ?? 0) + 1);
  return new Map([...copies].filter(([, count]) => count > 1));
}
