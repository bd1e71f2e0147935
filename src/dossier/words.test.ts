import { expect, test } from 'vitest';
import { durationOf, spanOf } from './words.ts';

test.each([
  [0, '0 s'],
  [99_000, '99 s'],
  [100_000, '2 min'],
  [59.6 * 60_000, '1 h'],
  [171 * 60_000, '2 h 51 min'],
  [48 * 3600_000, '2 d'],
  [50.2 * 3600_000, '2 d 2 h'],
])('spanOf() %i ms', (ms, text) => {
  expect(spanOf(ms)).toBe(text);
});

test('durationOf() knows no time below none: the clock may have gone back', () => {
  expect(durationOf(-7_199_000)).toBe('0 seconds');
  expect(durationOf(1000)).toBe('1 second');
});
