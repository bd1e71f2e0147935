import { expect, test } from 'vitest';
import type { DomainConfig } from './receiving.ts';
import { stsPolicyOf } from './sts-policies.ts';

const policyOf = (domain: DomainConfig, ...others: DomainConfig[]) =>
  stsPolicyOf({ hostname: 'mx.example.com', domains: [domain, ...others] }, domain);

test('stsPolicyOf() has senders test at first, and our hostname as the host', () => {
  expect(policyOf({ name: 'a.example' })).toEqual({
    mode: 'testing',
    mx: ['mx.example.com'],
    maxAge: 86_400,
  });
});

test('stsPolicyOf() takes what the domain has', () => {
  const mtaSts = { mode: 'enforce', mx: ['*.mx.example'], maxAgeDays: 30 } as const;
  expect(policyOf({ name: 'a.example', mtaSts })).toEqual({
    mode: 'enforce',
    mx: ['*.mx.example'],
    maxAge: 2_592_000,
  });
  expect(policyOf({ name: 'a.example', mtaSts: { mode: 'enforce' } }).maxAge).toBe(1_209_600);
});

test('stsPolicyOf() gives a domain that stands for another the policy of that one', () => {
  const other: DomainConfig = { name: 'b.example', mtaSts: { mode: 'none' } };
  expect(policyOf({ name: 'a.example', aliasOf: 'b.example' }, other).mode).toBe('none');
});
