import { expect, test } from 'vitest';
import { dottedNibbles, isInNetwork, octetsOf } from './spf-address.ts';

test.each([
  ['192.0.2.1', '192.0.2.1', 32, true],
  ['192.0.2.1', '192.0.2.0', 32, false],
  ['192.0.2.1', '192.0.2.0', 31, true],
  ['192.0.2.129', '192.0.2.0', 25, false],
  ['192.0.2.127', '192.0.2.0', 25, true],
  ['10.1.2.3', '192.0.2.0', 0, true],
  ['2001:db8::1', '2001:db8::', 32, true],
  ['2001:db9::1', '2001:db8::', 32, false],
  ['2001:db9::1', '2001:db8::', 31, true],
  ['2001:db8::1', '2001:db8::1', 128, true],
  ['192.0.2.1', '::', 0, false],
])('%s in %s/%i: %s', (address, network, bits, expected) => {
  expect(isInNetwork(octetsOf(address), octetsOf(network), bits)).toBe(expected);
});

test('dottedNibbles() writes 32 of them', () => {
  expect(dottedNibbles(octetsOf('2001:db8::cb01'))).toBe(
    '2.0.0.1.0.d.b.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.c.b.0.1',
  );
});
