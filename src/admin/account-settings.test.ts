import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type TemporaryStore, temporaryStore } from '../testing/store.ts';
import { turnstile } from '../util/turnstile.ts';
import { settingsOperations } from './account-settings.ts';
import { senderListOperations } from './sender-lists.ts';
import type { SettingsChange } from './shapes/accounts.ts';

const domains = [{ name: 'example.com' }, { name: 'example.org', aliasOf: 'example.com' }];
const bob = 'bob@example.com';

let directory: TemporaryStore;
let changes: number;

beforeAll(async () => {
  directory = await temporaryStore();
  const accounts = [bob, 'eve@example.com', 'carol@example.com'];
  await directory.store.addAccounts(
    accounts.map((address) => ({ address, passwordHash: '', createdAt: 1, settings: { policy: 'strict' } })),
  );
  await directory.store.setAlias({
    address: 'team@example.com',
    targets: ['bob@example.com', 'eve@example.com'],
  });
});
afterAll(() => directory[Symbol.asyncDispose]());

beforeEach(async () => {
  changes = 0;
  for (const address of [bob, 'eve@example.com', 'carol@example.com'])
    await directory.store.setSettings(address, { policy: 'strict' });
});

const turns = turnstile(1);
const change = (request: Omit<SettingsChange, 'address'>, address = bob) => {
  const { store } = directory;
  const changed = () => void changes++;
  return settingsOperations({
    store,
    domains,
    policies: [{ name: 'strict' }, { name: 'easy' }],
    turns,
    changed,
  }).changeSettings({ address, ...request });
};

test('M12: send and receive switches: what is given is changed, the rest stays', async () => {
  expect(await change({ receive: false })).toEqual({ policy: 'strict', receive: false });
  expect(await change({ send: false, quotaBytes: 5 })).toEqual({
    ...{ policy: 'strict', receive: false, send: false, quotaBytes: 5 },
  });
  expect(await change({ receive: true, quotaBytes: null })).toEqual({ policy: 'strict', send: false });
  expect((await directory.store.findAccount(bob))?.settings).toEqual({ policy: 'strict', send: false });
  expect(changes).toBe(3);
});

test('a policy of its own: one that there is, until it is judged as its domain is again', async () => {
  expect(await change({ policy: 'easy' })).toEqual({ policy: 'easy' });
  expect(await change({ policy: 'default' })).toEqual({ policy: 'default' });
  await expect(change({ policy: 'esay' })).rejects.toThrow(
    'There is no policy "esay". There are: default, strict, easy.',
  );
  expect(await change({ policy: null })).toEqual({});
});

test('forwards: addresses of ours in one spelling, others as they are written, each once', async () => {
  const to = ['Ann@Example.net', 'EVE@example.com', 'eve@example.com', 'carol+x@example.org'];
  const forward = { to: ['Ann@example.net', 'eve@example.com', 'carol+x@example.org'], keep: true };
  expect(await change({ forward: { to, keep: true } })).toMatchObject({ forward });
  expect(await change({ forward: null })).toEqual({ policy: 'strict' });
});

test.each([
  [[bob], /bob@example\.com would be a loop/],
  [['bob+x@example.com'], /would be a loop/],
  [['Bob@example.org'], /would be a loop/],
  [['team@example.com'], /team@example\.com would be a loop/],
  [['eve@example.com'], /eve@example\.com would be a loop/],
  [['nobody@example.com'], /no account nobody@example\.com/],
  [['nonsense'], /not a mail address/],
  [[], /Name the address/],
  [Array.from({ length: 21 }, (_, number) => `x${number}@example.net`), /up to 20/],
])('forwards: refuses %j', async (to, message) => {
  await change({ forward: { to: ['carol@example.com'], keep: false } }, 'eve@example.com');
  await change({ forward: { to: [bob], keep: false } }, 'carol@example.com');
  const before = changes;
  await expect(change({ forward: { to, keep: false } })).rejects.toThrow(message);
  expect(changes).toBe(before);
});

test('there must be such an account', async () => {
  await expect(change({ send: false }, 'nobody@example.com')).rejects.toThrow(
    /account add nobody@example\.com/,
  );
});

test('two changes at the same moment both count, be they of settings or of a list', async () => {
  const { store } = directory;
  const lists = senderListOperations({ store, domains, turns });
  await Promise.all([
    change({ send: false }),
    lists.changeSenderList({ address: bob, list: 'block', add: ['*@a.example'] }),
    change({ quotaBytes: 5 }),
    lists.changeSenderList({ address: bob, list: 'allow', add: ['*@b.example'] }),
  ]);
  expect((await store.findAccount(bob))?.settings).toEqual({
    ...{ policy: 'strict', send: false, quotaBytes: 5, block: ['*@a.example'], allow: ['*@b.example'] },
  });
});
