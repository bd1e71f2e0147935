import { expect, test } from 'vitest';
import { formatDate } from './date.ts';

test.each([
  [0, 'Thu, 01 Jan 1970 00:00:00 +0000'],
  [Date.UTC(2024, 1, 29, 23, 59, 59, 999), 'Thu, 29 Feb 2024 23:59:59 +0000'],
])('formatDate() writes %d as RFC 5322 does', (ms, text) => {
  expect(formatDate(ms)).toBe(text);
});

test('formatDate() throws at what is no time', () => {
  expect(() => formatDate(Number.NaN)).toThrow(RangeError);
});
