import { describe, expect, test } from 'vitest';
import { networkSet } from '../net/networks.ts';
import { type Origin, type RequestHeaders, visitorOf } from './visitor.ts';

const isProxy = networkSet(['127.0.0.0/8', '192.0.2.10/32']);
const peer = { address: '127.0.0.1', port: 4000, localAddress: '127.0.0.1', localPort: 8080 };
const visitor = (by: Origin['by'], headers: RequestHeaders) => visitorOf({ peer, by }, headers, isProxy);

describe('visitorOf()', () => {
  test.each([
    ['203.0.113.9', '203.0.113.9'],
    ['127.0.0.1, 203.0.113.9', '203.0.113.9'], // the first is what the client sent
    ['203.0.113.9, 192.0.2.10', '203.0.113.9'], // two proxies of ours in a row
    ['192.0.2.10', '192.0.2.10'],
    ['127.0.0.1, 192.0.2.10', '192.0.2.10'], // it may be the client, and have invented the first
    ['203.0.113.9:4711', '203.0.113.9'],
    ['[2001:DB8::1]:4711', '2001:db8::1'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['203.0.113.9, unknown', undefined],
    ['203.0.113.9,', undefined],
    ['', undefined],
  ])('finds the client in X-Forwarded-For: %s', (forwarded, address) => {
    expect(visitor('proxied', { 'x-forwarded-for': forwarded }).address).toBe(address);
  });

  test('knows no client where the proxy names none', () => {
    expect(visitor('proxied', { host: 'a.example' })).toEqual({
      address: undefined,
      host: 'a.example',
      secure: true,
    });
  });

  test('takes host and protocol as the nearest proxy has them', () => {
    const headers = {
      host: 'inner',
      'x-forwarded-host': 'forged.example, a.example',
      'x-forwarded-proto': 'https, HTTP',
    };
    expect(visitor('proxied', headers)).toMatchObject({ host: 'a.example', secure: false });
  });

  test.each(['http', 'https'] as const)('believes nobody who comes by %s', (by) => {
    const headers = {
      host: 'a.example',
      'x-forwarded-for': '203.0.113.9',
      'x-forwarded-host': 'b',
      'x-forwarded-proto': 'https',
    };
    expect(visitor(by, headers)).toEqual({ address: '127.0.0.1', host: 'a.example', secure: by === 'https' });
  });
});
