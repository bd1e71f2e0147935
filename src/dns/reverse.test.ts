import { expect, test } from 'vitest';
import { reverseName } from './reverse.ts';

test('reverseName() reverses the octets of IPv4', () => {
  expect(reverseName('192.0.2.1')).toBe('1.2.0.192.in-addr.arpa');
});

test('reverseName() reverses the nibbles of IPv6', () => {
  const expected = 'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa';
  expect(reverseName('4321:0:1:2:3:4:567:89ab')).toBe(expected);
});

test('reverseName() sees IPv4 inside IPv6 and leaves a scope out', () => {
  expect(reverseName('::ffff:192.0.2.1')).toBe('1.2.0.192.in-addr.arpa');
  expect(reverseName('fe80::1%eth0')).toBe(reverseName('fe80::1'));
});

test('reverseName() throws at what is no address', () => {
  expect(() => reverseName('mx.example.com')).toThrow('Cannot reverse "mx.example.com": not an IP address');
});
