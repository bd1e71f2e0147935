import { expect, test } from 'vitest';
import { authenticator, hashPassword, verifyPassword } from './passwords.ts';

const passwordHash = await hashPassword('correct horse');
const account = { address: 'b\u00fcro@example.com', passwordHash, createdAt: 1 };
const accounts = {
  findAccount: async (address: string) => (address === account.address ? account : undefined),
};

test('hashPassword() makes a salted argon2id hash at the agreed cost', async () => {
  expect(passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(await hashPassword('correct horse')).not.toBe(passwordHash);
});

test('verifyPassword() is true for the password only, and false for a hash that is none', async () => {
  expect(await verifyPassword(passwordHash, 'correct horse')).toBe(true);
  expect(await verifyPassword(passwordHash, 'correct horse ')).toBe(false);
  expect(await verifyPassword('', 'correct horse')).toBe(false);
});

test('authenticator() knows a user by the full address in any case and any normal form', async () => {
  const authenticate = authenticator(accounts);
  expect(await authenticate('BU\u0308RO@Example.COM', 'correct horse', 'pop3')).toEqual({
    account: account.address,
  });
  expect(await authenticate(account.address, 'wrong', 'pop3')).toBeUndefined();
  expect(await authenticate('b\u00fcro', 'correct horse', 'pop3')).toBeUndefined();
  expect(await authenticate('', '', 'pop3')).toBeUndefined();
});

test('authenticator() computes no hash that costs too much, and takes no password for it', async () => {
  const costly =
    '$argon2id$v=19$m=4194304,t=1000,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g';
  const authenticate = authenticator({ findAccount: async () => ({ ...account, passwordHash: costly }) });
  await authenticate(account.address, 'x', 'pop3');
  const start = performance.now();
  expect(await authenticate(account.address, 'x', 'pop3')).toBeUndefined();
  expect(await authenticate(account.address, 'no account has this hash', 'pop3')).toBeUndefined();
  expect(performance.now() - start).toBeLessThan(5000);
});

test('authenticator() spends on a user that does not exist what it spends on one that does', async () => {
  const authenticate = authenticator(accounts);
  await authenticate('nobody@example.com', 'x', 'pop3');
  const timeOf = async (user: string) => {
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      const start = performance.now();
      await authenticate(user, 'wrong', 'pop3');
      times.push(performance.now() - start);
    }
    return Math.min(...times);
  };
  expect(await timeOf('nobody@example.com')).toBeGreaterThan((await timeOf(account.address)) / 3);
});

test('authenticator() answers many at once, each rightly', async () => {
  const authenticate = authenticator(accounts);
  const passwords = Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? 'correct horse' : 'wrong'));
  const answers = await Promise.all(
    passwords.map((password) => authenticate(account.address, password, 'pop3')),
  );
  expect(answers.map((answer) => answer?.account === account.address)).toEqual(
    passwords.map((password) => password === 'correct horse'),
  );
});
