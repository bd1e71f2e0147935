import { expect, test } from 'vitest';
import {
  keyOfSuspension,
  type Suspension,
  suspendedWhat,
  suspensionMemo,
  suspensionOf,
} from './suspensions.ts';

const order = { by: 'root', at: 1000 };
const all: Suspension = { scope: 'all', name: '', ...order };
const domain: Suspension = { scope: 'domain', name: 'example.net', ...order };
const site: Suspension = { scope: 'site', name: 'mx.example.org', ...order };

const found = (suspensions: Suspension[], destination: string, siteName?: string, now = 2000) =>
  suspensionOf(suspensions, { destination }, { site: siteName, now });

test('suspensionOf() goes by all, by the domain or by the site', () => {
  expect(found([domain, all], '')).toBe(all);
  expect(found([domain], 'Example.NET')).toBe(domain);
  expect(found([domain], 'sub.example.net')).toBeUndefined();
  expect(found([site], 'example.org', '10 mx.example.org:25')).toBe(site);
  expect(found([site], 'example.org')).toBeUndefined();
  expect(found([{ ...site, name: 'local' }], '', 'local')).toBeDefined();
});

test('suspensionOf() knows when a suspension is over', () => {
  const timed = { ...domain, until: 3000 };
  expect(found([timed], 'example.net', undefined, 2999)).toBe(timed);
  expect(found([timed], 'example.net', undefined, 3000)).toBeUndefined();
  expect(suspensionMemo(timed)).toMatchObject({ key: 'domain example.net', expiresAt: 3000 });
});

test('suspendedWhat() and keyOfSuspension() tell the scopes apart', () => {
  expect([all, domain, site].map(suspendedWhat)).toEqual([
    'all delivery',
    'mail to example.net',
    'the site mx.example.org',
  ]);
  expect(new Set([all, domain, site].map(keyOfSuspension)).size).toBe(3);
});
