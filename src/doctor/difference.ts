/**
 * How a text that somebody has typed or pasted differs from the one that was to be entered, said so that the place is found:
 * missing, added and wrong characters, an end that is cut off. Pure.
 */

export type TextDifference =
  | { kind: 'same' }
  /** The first so many characters are there. */
  | { kind: 'truncated'; length: number }
  /** A few characters: `words` says which. */
  | { kind: 'mistyped'; words: string }
  /** Not the same text at all. */
  | { kind: 'other' };

/** Characters that may be wrong before it is another text. */
export const maxMistyped = 24;
/** Of a text that is cut off, so many at least must be there. */
const leastPrefix = 16;
const shownBefore = 12;
const shownAmount = 16;

export function differenceOf(wanted: string, published: string): TextDifference {
  if (wanted === published) return { kind: 'same' };
  if (wanted.startsWith(published) && published.length >= Math.min(leastPrefix, wanted.length / 2))
    return wanted.length - published.length <= shortCut
      ? { kind: 'mistyped', words: `misses the last ${characters(wanted.length - published.length)}` }
      : { kind: 'truncated', length: published.length };
  const start = commonPrefix(wanted, published);
  const end = commonSuffix(wanted.slice(start), published.slice(start));
  const missing = wanted.slice(start, wanted.length - end);
  const added = published.slice(start, published.length - end);
  if (Math.max(missing.length, added.length) <= maxMistyped && start + end >= wanted.length / 2)
    return { kind: 'mistyped', words: changeWords(missing, added, wanted.slice(0, start)) };
  const changes = editDistance(wanted, published, maxMistyped);
  if (changes === undefined) return { kind: 'other' };
  const first = wanted.slice(Math.max(0, start - shownBefore), start);
  return { kind: 'mistyped', words: `differs in ${characters(changes)}, the first after "${first}"` };
}

/** What is missing at the end and so short was forgotten in copying, not cut off by a form. */
const shortCut = 8;

const characters = (count: number): string => `${count} character${count === 1 ? '' : 's'}`;

function changeWords(missing: string, added: string, before: string): string {
  const place = before === '' ? 'at its beginning' : `after "${before.slice(-shownBefore)}"`;
  const show = (text: string) => `"${text.length > shownAmount ? `${text.slice(0, shownAmount)}…` : text}"`;
  if (added === '') return `misses ${characters(missing.length)} ${place}: ${show(missing)}`;
  if (missing === '') return `has ${characters(added.length)} too many ${place}: ${show(added)}`;
  return `has ${show(added)} instead of ${show(missing)} ${place}`;
}

function commonPrefix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

function commonSuffix(a: string, b: string): number {
  let length = 0;
  while (length < Math.min(a.length, b.length) && a.at(-1 - length) === b.at(-1 - length)) length += 1;
  return length;
}

/** Levenshtein's, in a band around the diagonal; undefined where it is more than `most`. */
export function editDistance(a: string, b: string, most: number): number | undefined {
  if (Math.abs(a.length - b.length) > most) return undefined;
  const beyond = most + 1;
  let before = Array.from({ length: b.length + 1 }, (_, j) => (j <= most ? j : beyond));
  for (let i = 1; i <= a.length; i += 1) {
    const row = new Array<number>(b.length + 1).fill(beyond);
    if (i <= most) row[0] = i;
    for (let j = Math.max(1, i - most); j <= Math.min(b.length, i + most); j += 1) {
      const change = (before[j - 1] ?? beyond) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(change, (before[j] ?? beyond) + 1, (row[j - 1] ?? beyond) + 1, beyond);
    }
    before = row;
  }
  const distance = before[b.length] ?? beyond;
  return distance > most ? undefined : distance;
}
