import { expect, test } from 'vitest';
import { policyOf } from '../testing/policies.ts';
import { Policies } from './policies.ts';

test('a mailbox that names a policy which is no more is judged by the default one, and that is told once', async () => {
  const told: string[][] = [];
  const fallback = policyOf([]);
  const policies = new Policies({
    policies: [fallback],
    domains: [],
    store: {
      findAccount: async (address) => ({
        ...{ address, passwordHash: '', createdAt: 1, settings: { policy: 'early' } },
      }),
    },
    onMissing: (...words) => told.push(words),
  });
  const bob = { kind: 'local', address: 'bob@example.com', destination: '' } as const;
  expect((await policies.of(bob)).policy).toBe(fallback);
  await policies.of(bob);
  expect(told).toEqual([['early', 'bob@example.com']]);
});
