import { expect, test } from 'vitest';
import { temporaryStore } from '../../testing/store.ts';

const account = (address: string, createdAt = 1) => ({
  address,
  passwordHash: `hash of ${address}`,
  createdAt,
});

test('addAccounts() inserts what is new and names what exists, which stays as it is', async () => {
  await using world = await temporaryStore();
  const many = Array.from({ length: 1200 }, (_, number) => account(`user${number}@example.com`));
  expect(await world.store.addAccounts(many)).toEqual([]);
  const again = [{ ...account('user7@example.com'), passwordHash: 'other' }, account('new@example.com')];
  expect(await world.store.addAccounts(again)).toEqual(['user7@example.com']);
  expect(await world.store.findAccount('user7@example.com')).toEqual(account('user7@example.com'));
  expect(await world.store.listAccounts()).toHaveLength(1201);
});

test('findAccount() sees changes at once, also of what it did not find before', async () => {
  await using world = await temporaryStore();
  expect(await world.store.findAccount('a@example.com')).toBeUndefined();
  await world.store.addAccounts([account('a@example.com')]);
  expect(await world.store.findAccount('a@example.com')).toEqual(account('a@example.com'));
  expect(await world.store.setPassword('a@example.com', 'fresh')).toBe(true);
  expect(await world.store.findAccount('a@example.com')).toMatchObject({ passwordHash: 'fresh' });
  expect(await world.store.setPassword('b@example.com', 'fresh')).toBe(false);
});

test('setSettings() takes the place of what was set, and an empty one of it all', async () => {
  await using world = await temporaryStore();
  const settings = { policy: 'strict', receive: false, quotaBytes: 1000 } as const;
  await world.store.addAccounts([account('a@example.com')]);
  expect(await world.store.setSettings('a@example.com', settings)).toBe(true);
  expect(await world.store.findAccount('a@example.com')).toEqual({ ...account('a@example.com'), settings });
  const store = await world.reopen();
  expect(await store.listAccounts()).toEqual([
    { address: 'a@example.com', createdAt: 1, settings, hasScramKeys: false },
  ]);
  expect(await store.setSettings('a@example.com', {})).toBe(true);
  expect(await store.findAccount('a@example.com')).toEqual(account('a@example.com'));
  expect(await store.setSettings('b@example.com', settings)).toBe(false);
});

test('setPassword() sets the keys for SCRAM with it, and removes those of the password before', async () => {
  await using world = await temporaryStore();
  const scramKeys = { salt: 'c2FsdA==', storedKey: 'c3Q=', serverKey: 'c2U=', iterations: 4096 };
  await world.store.addAccounts([account('a@example.com')]);
  await world.store.setPassword('a@example.com', 'fresh', scramKeys);
  expect(await world.store.findAccount('a@example.com')).toMatchObject({ passwordHash: 'fresh', scramKeys });
  expect(JSON.stringify(await world.store.listAccounts())).not.toContain('c2FsdA');
  await world.store.setPassword('a@example.com', 'fresher');
  expect(await world.store.findAccount('a@example.com')).not.toHaveProperty('scramKeys');
});

test('firstAccount() is the one of the domain that was created first', async () => {
  await using world = await temporaryStore();
  const accounts = [
    account('late@example.com', 3),
    account('early@example.com', 2),
    account('x@example.net', 1),
  ];
  await world.store.addAccounts(accounts);
  expect(await world.store.firstAccount('example.com')).toBe('early@example.com');
  expect(await world.store.firstAccount('example.org')).toBeUndefined();
});

test('setAlias() sets, replaces and, with no targets, removes', async () => {
  await using world = await temporaryStore();
  const alias = { address: 'info@example.com', targets: ['a@example.com', 'b@example.org'] };
  expect(await world.store.findAlias(alias.address)).toBeUndefined();
  await world.store.setAlias({ ...alias, targets: ['old@example.com'] });
  await world.store.setAlias(alias);
  expect(await world.store.findAlias(alias.address)).toEqual(alias);
  const store = await world.reopen();
  expect(await store.listAliases()).toEqual([alias]);
  await store.setAlias({ ...alias, targets: [] });
  expect(await store.findAlias(alias.address)).toBeUndefined();
});

test('addScramKeys() adds the keys of the password that an account has, and none of another', async () => {
  await using world = await temporaryStore();
  const { store } = world;
  const scramKeys = { salt: 'c2FsdA==', storedKey: 'c3Q=', serverKey: 'c2U=', iterations: 4096 };
  const alice = account('a@example.com');
  expect(await store.lacksScramKeys()).toBe(false);
  await store.addAccounts([alice, account('b@example.com')]);
  expect(await store.lacksScramKeys()).toBe(true);
  expect(await store.addScramKeys(alice.address, 'another hash', scramKeys)).toBe(false);
  expect(await store.findAccount(alice.address)).toEqual(alice);
  expect(await store.addScramKeys(alice.address, alice.passwordHash, scramKeys)).toBe(true);
  expect(await store.findAccount(alice.address)).toEqual({ ...alice, scramKeys });
  expect((await store.listAccounts()).map(({ hasScramKeys }) => hasScramKeys)).toEqual([true, false]);
  expect(await store.lacksScramKeys()).toBe(true);
  expect(await store.addScramKeys('c@example.com', '', scramKeys)).toBe(false);
  await store.eraseAccount('b@example.com');
  expect(await store.lacksScramKeys()).toBe(false);
});
