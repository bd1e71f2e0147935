import { describe, expect, test } from 'vitest';
import { networkSet } from '../net/networks.ts';
import { mayReadMetrics } from './metrics-access.ts';

const networks = networkSet(['127.0.0.0/8', '192.0.2.0/24']);
const visitor = (address: string | undefined, secure = true) => ({ address, host: 'mx.example.com', secure });

describe('mayReadMetrics()', () => {
  test('lets the networks in, and nobody of whom nothing is known', () => {
    const rules = { networks, token: undefined };
    expect(mayReadMetrics(rules, visitor('192.0.2.1'), undefined)).toBe(true);
    expect(mayReadMetrics(rules, visitor('198.51.100.1'), undefined)).toBe(false);
    expect(mayReadMetrics(rules, visitor(undefined), undefined)).toBe(false);
  });

  test('crosses a network only encrypted', () => {
    const rules = { networks, token: undefined };
    expect(mayReadMetrics(rules, visitor('192.0.2.1', false), undefined)).toBe(false);
    expect(mayReadMetrics(rules, visitor('127.0.0.1', false), undefined)).toBe(true);
  });

  test('asks for the token besides, where there is one', () => {
    const rules = { networks, token: 'secret' };
    const may = (authorization: string | undefined, address = '192.0.2.1') =>
      mayReadMetrics(rules, visitor(address), authorization);
    expect(may('Bearer secret')).toBe(true);
    expect(may('bearer  secret')).toBe(true);
    for (const wrong of [undefined, '', 'secret', 'Basic secret', 'Bearer', 'Bearer secre', 'Bearer secret2'])
      expect(may(wrong)).toBe(false);
    expect(may('Bearer secret', '198.51.100.1')).toBe(false);
  });
});
