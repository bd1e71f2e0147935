import { expect, test } from 'vitest';
import { quantile, showSummary, summarize } from './statistics.ts';

test('summarize() takes the middle of an odd number of values, and the mean of the two middle ones of an even', () => {
  expect(summarize([30, 10, 20])).toEqual({ median: 20, min: 10, max: 30 });
  expect(summarize([4, 1, 3, 2]).median).toBe(2.5);
});

test('summarize() sorts by value and not by spelling', () => {
  expect(summarize([9, 100, 10])).toEqual({ median: 10, min: 9, max: 100 });
});

test('summarize() has no figures for no rounds', () => {
  expect(summarize([]).median).toBeNaN();
});

test('showSummary() puts the range behind the median', () => {
  expect(showSummary({ median: 1784.4, min: 1690, max: 1822.6 })).toBe('1784 (1690–1823)');
});

test('quantile() finds the value below which that part of all lies', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect([quantile(hundred, 0.5), quantile(hundred, 0.99), quantile([7], 0.99)]).toEqual([51, 100, 7]);
});
