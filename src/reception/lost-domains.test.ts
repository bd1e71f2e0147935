import { expect, test } from 'vitest';
import { createLog } from '../util/log.ts';
import { lostDomains, warnOfLostDomains } from './lost-domains.ts';

const accounts = ['ann@example.com', 'bob@example.org', '"a@b"@example.org', 'eve@example.net'].map(
  (address) => ({ address, createdAt: 0, hasScramKeys: false }),
);

test('lostDomains() names each domain that is not there, and who has a mailbox in it', () => {
  expect(lostDomains(accounts, [{ name: 'example.com' }, { name: 'example.net' }])).toEqual([
    { name: 'example.org', mailboxes: ['bob@example.org', '"a@b"@example.org'] },
  ]);
});

test('warnOfLostDomains() logs one line for each', async () => {
  const lines: unknown[] = [];
  const log = createLog('info', { write: (line) => void lines.push(JSON.parse(line)) });
  const domains = [{ name: 'example.com' }];
  await warnOfLostDomains({ store: { listAccounts: async () => accounts }, log }, { domains });
  expect(lines).toMatchObject([
    { domain: 'example.org', mailboxes: 'bob@example.org, "a@b"@example.org' },
    { domain: 'example.net', mailboxes: 'eve@example.net' },
  ]);
});
