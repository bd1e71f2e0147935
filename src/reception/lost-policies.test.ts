import { describe, expect, test } from 'vitest';
import { createLog } from '../util/log.ts';
import { lostPolicies, mailboxWords, warnOfLostPolicies } from './lost-policies.ts';

const account = (address: string, policy?: string) => ({
  address,
  createdAt: 0,
  hasScramKeys: false,
  settings: policy === undefined ? {} : { policy },
});

const accounts = [
  account('ann@example.com', 'strict'),
  account('bob@example.com', 'old'),
  account('eve@example.com', 'old'),
  account('kim@example.com', 'default'),
  account('lea@example.com'),
];

describe('lostPolicies()', () => {
  test('names each policy that is not there, and whose it is', () => {
    expect(lostPolicies(accounts, [{ name: 'strict' }])).toEqual([
      { name: 'old', mailboxes: ['bob@example.com', 'eve@example.com'] },
    ]);
    expect(lostPolicies(accounts, [{ name: 'strict' }, { name: 'old' }])).toEqual([]);
  });

  test('are told of by the names of ten mailboxes', () => {
    const mailboxes = Array.from({ length: 12 }, (_, index) => `u${index}@example.com`);
    expect(mailboxWords(mailboxes)).toMatch(/^u0@example\.com, .*u9@example\.com and 2 more$/);
  });
});

test('warnOfLostPolicies() logs one line for each', async () => {
  const lines: unknown[] = [];
  const log = createLog('info', { write: (line) => void lines.push(JSON.parse(line)) });
  await warnOfLostPolicies({ store: { listAccounts: async () => accounts }, log }, { policies: [] });
  expect(lines).toMatchObject([
    { policy: 'strict', mailboxes: 'ann@example.com' },
    { policy: 'old', mailboxes: 'bob@example.com, eve@example.com' },
  ]);
});
