import { expect, test } from 'vitest';
import { differenceOf, editDistance } from './difference.ts';

const key = Array.from({ length: 392 }, (_, index) =>
  String.fromCharCode(65 + ((index * 7 + (index >> 3)) % 26)),
).join('');
const cut = (start: number, count: number, instead = '') =>
  key.slice(0, start) + instead + key.slice(start + count);
const words = (published: string) => {
  const difference = differenceOf(key, published);
  return difference.kind === 'mistyped' ? difference.words : difference.kind;
};

test.each([
  ['the same', key, 'same'],
  ['4 missing', cut(100, 4), `misses 4 characters after "${key.slice(88, 100)}": "${key.slice(100, 104)}"`],
  ['one missing at its beginning', cut(0, 1), `misses 1 character at its beginning: "${key[0]}"`],
  ['3 too many', cut(50, 0, '???'), `has 3 characters too many after "${key.slice(38, 50)}": "???"`],
  ['one wrong', cut(200, 1, '?'), `has "?" instead of "${key[200]}" after "${key.slice(188, 200)}"`],
  ['the end forgotten', key.slice(0, -3), 'misses the last 3 characters'],
  ['cut off', key.slice(0, 230), 'truncated'],
  [
    'wrong in two far places',
    cut(10, 1, '?').replace(key.slice(300, 305), '-----'),
    `differs in 6 characters, the first after "${key.slice(0, 10)}"`,
  ],
  ['another', [...key].reverse().join(''), 'other'],
  ['nothing', '', 'other'],
])('P12: differenceOf() says it of a text with %s', (_, published, expected) => {
  expect(words(published)).toBe(expected);
});

test('differenceOf() stays quick with texts that have nothing in common', () => {
  const long = 'x'.repeat(4000);
  expect(differenceOf(long, 'y'.repeat(4000))).toEqual({ kind: 'other' });
});

test.each([
  ['', '', 0],
  ['abc', 'abc', 0],
  ['kitten', 'sitting', 3],
  ['abc', '', 3],
  ['abcdefghij', 'bcdefghijk', 2],
  ['abcd', 'wxyz', undefined],
])('editDistance(%j, %j) is %s', (a, b, expected) => {
  expect(editDistance(a, b, 3)).toBe(expected);
});
