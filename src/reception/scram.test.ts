import { describe, expect, test } from 'vitest';
import type { Service } from '../sasl/exchange.ts';
import { makeScramKeys, type ScramKeys } from '../sasl/scram.ts';
import { scramSha256 } from '../sasl/scram-client.ts';
import type { Account } from '../store/account-store.ts';
import { type AppPassword, readAppPasswords } from '../store/app-passwords.ts';
import type { Memo } from '../store/memo-store.ts';
import { authenticator, hashPassword } from '../store/passwords.ts';
import { fakeClock, impatientClock } from '../testing/fake-clock.ts';
import { createLog } from '../util/log.ts';
import { logins } from './login.ts';
import { lookAgainMs, Scram, type ScramParts } from './scram.ts';

const bob = 'bob@example.com';
const eve = 'eve@example.com';
const log = createLog('silent');
const passwordHash = await hashPassword('pencil');
const keys = await makeScramKeys('pencil');
const account = (address: string, scramKeys?: ScramKeys): Account => ({
  address,
  passwordHash,
  createdAt: 0,
  ...(scramKeys && { scramKeys }),
});

/** Accounts and memos in memory. */
function storeOf(...accounts: Account[]) {
  const memos: Memo[] = [];
  const all = new Map(accounts.map((each) => [each.address, each]));
  const store: ScramParts['store'] = {
    findAccount: async (address) => all.get(address),
    lacksScramKeys: async () => [...all.values()].some(({ scramKeys }) => scramKeys === undefined),
    findMemo: async (kind, key) => memos.find((each) => each.kind === kind && each.key === key),
    writeMemos: async (written) => void memos.push(...written),
    addScramKeys: async (address, hash, scramKeys) => {
      const found = all.get(address);
      if (found?.passwordHash !== hash) return false;
      all.set(address, { ...found, scramKeys });
      return true;
    },
  };
  return { store, all, memos };
}

const open = (store: ScramParts['store'], offer: ScramParts['offer'] = 'auto', clock = fakeClock()) =>
  Scram.open({ store, offer, clock, log });

/** Logs in as a client would; resolves to what comes after the last challenge. */
async function logIn(
  scram: Scram,
  user: string,
  password: string,
  authorizationId = '',
  service: Service = 'submission',
) {
  const { clock, delays } = impatientClock();
  const parts = { authenticate: async () => undefined, mechanisms: scram.mechanisms, clock, log };
  const login = logins(parts)('192.0.2.1', undefined, service);
  const client = scramSha256({ user, password }, 'abc');
  const mechanism = 'SCRAM-SHA-256';
  const first = client.initialResponse.replace('n,,', `n,${authorizationId && `a=${authorizationId}`},`);
  let outcome = await login({ mechanism, message: first, begins: true });
  while (outcome.kind === 'challenge')
    outcome = await login({ mechanism, message: await client.respond(outcome.text), begins: false });
  return { outcome, delays };
}

/** The salt that is shown to who says that this is its name. */
async function saltOf(scram: Scram, user: string): Promise<string | undefined> {
  const server = scram.mechanisms.get('SCRAM-SHA-256')?.(undefined, 'pop3');
  const step = await server?.respond(`n,,n=${user},r=abc`);
  if (step?.kind !== 'challenge') throw new Error(`no challenge but ${step?.kind}`);
  return /^r=abc[^,]{24},s=([^,]{24}),i=100000$/.exec(step.text)?.[1];
}

test('who has keys logs in by them, written in any way', async () => {
  const scram = await open(storeOf(account(bob, keys)).store);
  expect((await logIn(scram, bob, 'pencil')).outcome).toEqual({ kind: 'welcome', account: bob });
  expect((await logIn(scram, 'Bob@EXAMPLE.com', 'pencil')).outcome).toMatchObject({ account: bob });
});

test('nobody acts as somebody else', async () => {
  const scram = await open(storeOf(account(bob, keys), account(eve, keys)).store);
  // The header is part of what is proven: the client must mean it.
  expect((await logIn(scram, bob, 'pencil', eve)).outcome).toMatchObject({ kind: 'wrong' });
});

test.each([
  ['a wrong password', bob, 'pencils'],
  ['an account without keys', eve, 'pencil'],
  ['a user who is not there', 'nobody@example.com', 'pencil'],
  ['a name that is no address', 'bob', 'pencil'],
])('%s fails like any other, and costs the same wait', async (_, user, password) => {
  const scram = await open(storeOf(account(bob, keys), account(eve)).store);
  const { outcome, delays } = await logIn(scram, user, password);
  expect(outcome).toEqual({ kind: 'wrong', last: false });
  expect(delays).toEqual([1000]);
});

test.each([
  ['the right password', 'pencil'],
  ['a wrong one', 'pencils'],
])('an account that is guessed at gives no answer by which %s would show', async (_, password) => {
  const scram = await open(storeOf(account(bob, keys)).store);
  const { clock } = impatientClock();
  const places = { failed: () => {}, succeeded: () => {}, isBesieged: async (user: string) => user === bob };
  const parts = { authenticate: async () => undefined, mechanisms: scram.mechanisms, places, clock, log };
  const login = logins(parts)('192.0.2.1', {
    leave: () => undefined,
    failedLogin: async () => ({ isRepeated: false }),
    badRecipient: async () => ({}),
    badCommands: () => {},
    broughtMail: () => {},
  });
  const client = scramSha256({ user: bob, password }, 'abc');
  const first = await login({ mechanism: 'SCRAM-SHA-256', message: client.initialResponse, begins: true });
  expect(first).toMatchObject({ kind: 'busy', why: expect.stringMatching(/this account/) });
});

test('a user who is not there has a salt, and the same one after a restart', async () => {
  const { store, memos } = storeOf(account(bob, keys), account(eve));
  const scram = await open(store);
  const restarted = await open(store);
  expect(await saltOf(scram, bob)).toBe(keys.salt);
  for (const user of [eve, 'nobody@example.com', 'x']) {
    expect(await saltOf(scram, user)).toMatch(/^[\w+/]{22}==$/);
    expect(await saltOf(restarted, user)).toBe(await saltOf(scram, user));
  }
  expect(memos).toHaveLength(1);
});

test('a login with the password leaves keys behind, which log in', async () => {
  const { store, all } = storeOf(account(bob));
  const scram = await open(store);
  const authenticate = scram.keeping(authenticator(store));
  expect(await authenticate(bob, 'pen', 'pop3')).toBeUndefined();
  expect(all.get(bob)?.scramKeys).toBeUndefined();
  expect(await authenticate('BOB@example.com', 'pencil', 'pop3')).toEqual({ account: bob });
  const made = all.get(bob)?.scramKeys;
  expect((await logIn(scram, bob, 'pencil')).outcome).toMatchObject({ kind: 'welcome' });
  await authenticate(bob, 'pencil', 'pop3');
  expect(all.get(bob)?.scramKeys).toBe(made);
});

test('a password that is changed while the old one is checked does not get the keys of the old one', async () => {
  const { store, all } = storeOf(account(bob));
  const scram = await open(store);
  const authenticate = scram.keeping(async () => {
    all.set(bob, { ...account(bob), passwordHash: 'of a new password' });
    return { account: bob };
  });
  expect(await authenticate(bob, 'pencil', 'pop3')).toEqual({ account: bob });
  expect(all.get(bob)?.scramKeys).toBeUndefined();
});

test('keys that cannot be kept keep nobody from logging in', async () => {
  const { store } = storeOf(account(bob));
  const failing = { ...store, addScramKeys: () => Promise.reject(new Error('disk full')) };
  const scram = await open(failing);
  expect(await scram.keeping(authenticator(store))(bob, 'pencil', 'pop3')).toEqual({ account: bob });
});

test('is offered once every account has keys, always, or never', async () => {
  const { store, all } = storeOf(account(bob, keys), account(eve));
  const clock = fakeClock();
  const both = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'];
  const scram = await open(store, 'auto', clock);
  expect((await open(store, 'always')).offered).toEqual(both);
  const never = await open(store, 'never');
  expect(scram.offered).toEqual([]);
  all.set(eve, account(eve, keys));
  expect(scram.offered).toEqual([]);
  clock.advance(lookAgainMs);
  expect(scram.offered).toEqual([]); // asked for with this
  await Promise.resolve();
  await Promise.resolve();
  await Promise.resolve();
  expect(scram.offered).toEqual(both);
  expect(never.offered).toEqual([]);
  expect((await open(store, 'never')).offered).toEqual([]);
});

describe('app passwords', () => {
  const phone = 'abcd-efgh-ijkl-mnop-qrst';

  /** Bob, with one app password that fetches. */
  async function withPhone(settings: Account['settings'] = {}) {
    const known = storeOf({ ...account(bob, keys), settings });
    const made: AppPassword = {
      ...{ name: 'phone', scope: 'pop3', createdAt: 0, selector: 'abcd' },
      passwordHash: await hashPassword(phone),
      scramKeys: await makeScramKeys(phone, keys.salt),
    };
    await known.store.writeMemos([{ kind: 'app-passwords', key: bob, value: [made] }]);
    return { ...known, scram: await open(known.store, 'always') };
  }

  test('log in by SCRAM beside the main password, all with one salt', async () => {
    const { scram } = await withPhone();
    const byPhone = await logIn(scram, bob, phone, '', 'pop3');
    expect(byPhone.outcome).toEqual({ kind: 'welcome', account: bob, appPassword: 'phone' });
    expect((await logIn(scram, bob, 'pencil')).outcome).toEqual({ kind: 'welcome', account: bob });
  });

  test('do not log in to what they are not for', async () => {
    const { scram } = await withPhone();
    expect((await logIn(scram, bob, phone, '', 'submission')).outcome).toMatchObject({ kind: 'wrong' });
  });

  test('may be the only ones that do', async () => {
    const { scram, store } = await withPhone({ appPasswordsOnly: true });
    expect((await logIn(scram, bob, 'pencil', '', 'pop3')).outcome).toMatchObject({ kind: 'wrong' });
    expect((await logIn(scram, bob, phone, '', 'pop3')).outcome).toMatchObject({ kind: 'welcome' });
    const appPasswordsOf = (address: string) => readAppPasswords(store, address);
    const authenticate = authenticator({ findAccount: store.findAccount, appPasswordsOf });
    expect(await authenticate(bob, 'pencil', 'pop3')).toBeUndefined();
    expect(await authenticate(bob, phone, 'pop3')).toEqual({ account: bob, appPassword: 'phone' });
    expect(await authenticate(bob, phone, 'submission')).toBeUndefined();
  });

  test('give their salt to keys that are made later', async () => {
    const { scram, store, all } = await withPhone();
    all.set(bob, account(bob));
    await scram.keeping(authenticator(store))(bob, 'pencil', 'pop3');
    expect(all.get(bob)?.scramKeys?.salt).toBe(keys.salt);
  });
});
