import { expect, test } from 'vitest';
import { parseConfig } from '../config/load.ts';
import { accountSection } from './doctor-accounts.ts';

test('P12: mailboxes of a domain that was taken out of the configuration', async () => {
  const config = await parseConfig('hostname = "mx.example.com"\n[[domain]]\nname = "example.com"\n', '/x');
  const account = (address: string) => ({ address, createdAt: 0, hasScramKeys: true });
  expect(accountSection([account('ann@example.com')], config)).toBeUndefined();
  expect(accountSection([account('ann@example.com'), account('bob@example.org')], config)).toMatchObject({
    examined: [
      { name: 'example.org', findings: [{ id: 'domain-gone', evidence: expect.stringContaining('bob@') }] },
    ],
  });
});
