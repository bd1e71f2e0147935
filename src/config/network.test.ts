import { expect, test } from 'vitest';
import { ipVersion, isLoopback, parseHostPort, parseNetwork } from './network.ts';

test.each([
  ['mx.example.com', { host: 'mx.example.com', port: 25 }],
  ['mx.example.com:2525', { host: 'mx.example.com', port: 2525 }],
  ['192.0.2.1:1', { host: '192.0.2.1', port: 1 }],
  ['::1', { host: '::1', port: 25 }],
  ['[::1]', { host: '::1', port: 25 }],
  ['[2001:db8::1]:26', { host: '2001:db8::1', port: 26 }],
  ['[mx.example.com]:25', undefined],
  ['mx.example.com:', undefined],
  ['mx.example.com:0', undefined],
  ['mx.example.com:65536', undefined],
  ['a b', undefined],
  ['', undefined],
])('parseHostPort() reads %j', (text, expected) => {
  expect(parseHostPort(text, 25)).toEqual(expected);
});

test.each([
  ['127.0.0.0/8', { address: '127.0.0.0', prefix: 8 }],
  ['192.0.2.1', { address: '192.0.2.1', prefix: 32 }],
  ['2001:db8::/32', { address: '2001:db8::', prefix: 32 }],
  ['::1', { address: '::1', prefix: 128 }],
  ['10.0.0.0/33', undefined],
  ['10.0.0.0/', undefined],
  ['10.0.0.0/8/8', undefined],
  ['10.0.0/8', undefined],
  ['example.com/8', undefined],
])('parseNetwork() reads %j', (text, expected) => {
  expect(parseNetwork(text)).toEqual(expected);
});

test('isLoopback() knows both families, and ipVersion() no names', () => {
  expect(['127.0.0.1', '127.9.9.9', '::1', '0:0:0:0:0:0:0:1'].every(isLoopback)).toBe(true);
  expect(['0.0.0.0', '::', '128.0.0.1', 'localhost'].some(isLoopback)).toBe(false);
  expect(['1.2.3.4', '::1', '1.2.3', '01.2.3.4', 'fe80::1%eth0', 'mx'].map(ipVersion)).toEqual([
    4,
    6,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
