import { expect, test } from 'vitest';
import type { StsPolicyInForce } from './sts-memo.ts';
import { readStsMemo, stsMemo } from './sts-memo.ts';

const policy: StsPolicyInForce = {
  domain: 'example.net',
  id: '1',
  mode: 'enforce',
  mx: ['mx.example.net'],
  maxAge: 60,
  fetchedAt: 1000,
};

test('P9: a policy survives JSON, and no longer than it is valid', () => {
  const memo = stsMemo(policy);
  expect(memo).toMatchObject({ kind: 'mta-sts', key: 'example.net', expiresAt: 61_000 });
  expect(readStsMemo(JSON.parse(JSON.stringify(memo)))).toEqual(policy);
});

test('readStsMemo() takes nothing of another shape', () => {
  expect(readStsMemo({ kind: 'mta-sts', key: 'example.net', value: { id: 1 } })).toBeUndefined();
});
