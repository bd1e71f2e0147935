import { expect, test } from 'vitest';
import { targetsFirst } from './alias-import.ts';
import { readAliases } from './alias-rows.ts';

const ordered = (...lines: string[]) =>
  targetsFirst(readAliases(lines.join('\n'))).map(({ address }) => address);

test('targetsFirst() puts an alias behind those that it leads to, and leaves the rest in order', () => {
  expect(ordered('x@a y@b', 'info@a team@A, eve@a', 'team@a bob@a', 'z@a y@b')).toEqual([
    'x@a',
    'team@a',
    'info@a',
    'z@a',
  ]);
});

test('targetsFirst() keeps lines about one address in order, and each line once', () => {
  expect(targetsFirst(readAliases('all@a one@a\none@a x@b\none@a y@b')).map(({ line }) => line)).toEqual([
    2, 3, 1,
  ]);
});

test('targetsFirst() comes to an end in a circle', () => {
  expect(ordered('a@a b@a', 'b@a c@a', 'c@a a@a', 'd@a d@a').sort()).toEqual(['a@a', 'b@a', 'c@a', 'd@a']);
});

test('targetsFirst() follows a chain that is longer than any stack', () => {
  const lines = Array.from({ length: 100_000 }, (_, index) => `n${index}@a n${index + 1}@a`);
  expect(ordered(...lines)[0]).toBe('n99999@a');
});
