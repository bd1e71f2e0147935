import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { examineMailboxFiles } from './mailbox-files.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'posthorn-own-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

test('P12: nothing is wrong with mailboxes before there are any', async () => {
  expect(await examineMailboxFiles({ dataDir })).toEqual([]);
  expect(await examineMailboxFiles({ dataDir: join(dataDir, 'none') })).toEqual([]);
});

test.runIf(process.getuid?.() === 0)('P12: mailboxes that were brought by root', async () => {
  const ours = (path: string) => chownSync(join(dataDir, path), 4711, 4711);
  const [own, brought] = ['accounts/own@example.com', 'accounts/brought@example.com'];
  for (const mailbox of [own, brought])
    for (const folder of ['cur', 'new', 'tmp'])
      mkdirSync(join(dataDir, mailbox, 'Maildir', folder), { recursive: true });
  expect(await examineMailboxFiles({ dataDir })).toEqual([]); // a server of root's writes everywhere
  for (const path of ['', 'accounts', own, brought]) ours(path);
  for (const path of ['', '/tmp', '/new', '/cur']) ours(`${own}/Maildir${path}`);
  expect(await examineMailboxFiles({ dataDir })).toMatchObject([
    {
      id: 'mailbox-not-ours',
      severity: 'error',
      evidence: expect.stringMatching(/accounts, brought@example\.com: not all of it belongs to user 4711/),
      remedy: expect.stringContaining(`chown -R 4711:4711 ${join(dataDir, 'accounts')}.`),
    },
  ]);
  for (const path of ['', '/tmp', '/new']) ours(`${brought}/Maildir${path}`);
  expect(await examineMailboxFiles({ dataDir })).toHaveLength(1); // cur/ is root's
  ours(`${brought}/Maildir/cur`);
  expect(await examineMailboxFiles({ dataDir })).toEqual([]);
});
