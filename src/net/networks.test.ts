import { expect, test } from 'vitest';
import { networkSet } from './networks.ts';

const set = networkSet(['127.0.0.0/8', '192.0.2.7', '2001:db8::/32']);

test.each([
  ['127.0.0.1', true],
  ['127.255.255.255', true],
  ['128.0.0.1', false],
  ['192.0.2.7', true],
  ['192.0.2.8', false],
  ['2001:db8:1::1', true],
  ['2001:db9::1', false],
  ['::1', false],
])('P5: networkSet() knows whether %s is inside', (address, inside) => {
  expect(set(address)).toBe(inside);
  expect(set(address)).toBe(inside); // from memory
});

test('P5: networkSet() of nothing trusts nobody', () => {
  expect(networkSet([])('127.0.0.1')).toBe(false);
});

test('networkSet() answers the same after more addresses than it remembers', () => {
  for (let index = 0; index < 3000; index++) expect(set(`10.0.${index >> 8}.${index & 255}`)).toBe(false);
  expect(set('127.0.0.1')).toBe(true);
});
