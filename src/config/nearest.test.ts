import { expect, test } from 'vitest';
import { findNearest } from './nearest.ts';

test('findNearest() finds what was meant', () => {
  expect(findNearest('datadir', ['hostname', 'dataDir'])).toBe('dataDir');
  expect(findNearest('smpt', ['smtp', 'pop3'])).toBe('smtp');
  expect(findNearest('lisener', ['listener'])).toBe('listener');
  expect(findNearest('banana', ['smtp', 'pop3'])).toBeUndefined();
});

test('findNearest() compares no word with one that it is far too long for', () => {
  const began = performance.now();
  expect(findNearest('m'.repeat(1_000_000), ['messageBytes', 'hostname'])).toBeUndefined();
  expect(performance.now() - began).toBeLessThan(50);
});
