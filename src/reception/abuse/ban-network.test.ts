import { expect, test } from 'vitest';
import { banNetwork } from './ban-network.ts';

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['192.0.2.7/32', '192.0.2.7'],
  ['192.0.2.7/24', '192.0.2.0/24'],
  ['203.0.115.9/22', '203.0.112.0/22'],
  ['10.200.1.1/9', '10.128.0.0/9'],
  ['2001:db8::7', '2001:db8::/64'],
  ['2001:db8:1:2:3::/96', '2001:db8:1:2::/64'],
  ['2001:db8:1:2:3::/48', '2001:db8:1::/48'],
  ['2001:db8:1:ff2::/52', '2001:db8:1::/52'],
  ['2001:db8::/32', '2001:db8::/32'],
])('banNetwork(%j) is %s', (text, network) => {
  expect(banNetwork(text)).toBe(network);
});

test.each([
  '',
  'example.com',
  '192.0.2',
  '10.0.0.0/7',
  '0.0.0.0/0',
  '2000::/3',
  '192.0.2.1/33',
  '192.0.2.1/24/1',
])('banNetwork(%j) is none', (text) => {
  expect(banNetwork(text)).toBeUndefined();
});
