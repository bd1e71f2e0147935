import { expect, test } from 'vitest';
import { parsePolicy, type StsPolicy } from './policy.ts';
import { formatPolicy, policyId, policyRecord } from './serve.ts';

const policy: StsPolicy = { mode: 'enforce', mx: ['mx.example.com', '*.example.net'], maxAge: 1_209_600 };

test('formatPolicy() writes what parsePolicy() reads', () => {
  expect(parsePolicy(formatPolicy(policy))).toEqual(policy);
  const none: StsPolicy = { mode: 'none', mx: [], maxAge: 86_400 };
  expect(parsePolicy(formatPolicy(none))).toEqual(none);
});

test('policyId() is another for another policy, and fits the record', () => {
  expect(policyId(policy)).toBe(policyId({ ...policy }));
  expect(policyId({ ...policy, mode: 'testing' })).not.toBe(policyId(policy));
  expect(policyRecord(policy)).toMatch(/^v=STSv1; id=[a-z\d]{1,32}$/);
});
