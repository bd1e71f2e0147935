import { describe, expect, test } from 'vitest';
import { Pop3Session } from '../pop3/session.ts';
import { startExchange } from '../sasl/mechanisms.ts';
import { makeScramKeys } from '../sasl/scram.ts';
import { adminStage, someHash } from '../testing/admin-stage.ts';
import type { AdminErrorCode } from './admin-error.ts';
import { maxPasswordBytes } from './credentials.ts';
import { localAdmin } from './local-admin.ts';

const stage = adminStage();
const hash = someHash;

const failure = (code: AdminErrorCode) => expect.objectContaining({ name: 'AdminError', code });

describe('operations on accounts', () => {
  test('addAccount() takes a password or a hash, in one spelling of the address', async () => {
    await stage.local.addAccount({ address: 'Alice@EXAMPLE.com', password: 'secret' });
    await stage.local.addAccount({ address: 'bob@bücher.example', hash });
    expect((await stage.local.listAccounts()).map(({ address }) => address).sort()).toEqual([
      'alice@example.com',
      'bob@xn--bcher-kva.example',
    ]);
    const alice = await stage.directory.store.findAccount('alice@example.com');
    expect(alice?.passwordHash).toMatch(/^\$argon2id\$/);
    // For clients that prove the password without sending it; of a hash there are none to be had.
    expect(await makeScramKeys('secret', alice?.scramKeys?.salt)).toEqual(alice?.scramKeys);
    expect((await stage.directory.store.findAccount('bob@xn--bcher-kva.example'))?.scramKeys).toBeUndefined();
    expect(stage.calls).toEqual(['changed', 'changed']);
  });

  test.each([
    ['an address elsewhere', { address: 'a@example.org', password: 'x' }, 'not-our-domain'],
    ['no address', { address: 'alice', password: 'x' }, 'bad-request'],
    ['an empty password', { address: 'a@example.com', password: '' }, 'bad-request'],
    ['no password', { address: 'a@example.com' }, 'bad-request'],
    ['a password with a NUL', { address: 'a@example.com', password: 'a\0b' }, 'bad-request'],
    [
      'too long a password',
      { address: 'a@example.com', password: 'x'.repeat(maxPasswordBytes + 1) },
      'bad-request',
    ],
    ['a hash of another kind', { address: 'a@example.com', hash: '$2b$10$abc' }, 'bad-request'],
  ] as const)('addAccount() refuses %s', async (_, account, code) => {
    await expect(stage.local.addAccount(account)).rejects.toEqual(failure(code));
    expect(await stage.local.listAccounts()).toEqual([]);
  });

  test('addAccount() takes the longest password that both SASL and POP3 can carry', async () => {
    const password = 'x'.repeat(maxPasswordBytes);
    await stage.local.addAccount({ address: 'a@example.com', password });
    const plain = Buffer.from(`\0a@example.com\0${password}`).toString('base64');
    expect(startExchange('PLAIN')?.step(plain)).toMatchObject({ claim: { password } });
    const pop3 = new Pop3Session({
      hostname: 'pop.example.com',
      startTls: false,
      allowPlaintextAuth: true,
      mechanisms: ['PLAIN'],
    });
    pop3.next();
    pop3.reply({ kind: 'ok' });
    pop3.receive(Buffer.from(`USER a@example.com\r\nPASS ${password}\r\n`));
    expect(pop3.next()).toMatchObject({ type: 'login', claim: { password } });
  });

  test('addAccount() leaves an account alone that exists', async () => {
    await stage.local.addAccount({ address: 'a@example.com', hash });
    await expect(stage.local.addAccount({ address: 'A@example.com', password: 'other' })).rejects.toEqual(
      failure('exists'),
    );
    expect((await stage.directory.store.findAccount('a@example.com'))?.passwordHash).toBe(hash);
  });

  test('importAccounts() has accounts looked up anew also where the store failed in between', async () => {
    const addAccounts = () => Promise.reject(new Error('the disk is gone'));
    const failing = localAdmin(
      stage.parts({ store: { ...stage.directory.store, addAccounts }, running: stage.running }),
    );
    const asked = failing.importAccounts({ accounts: [{ address: 'a@example.com', hash }] });
    await expect(asked).rejects.toThrow('the disk is gone');
    expect(stage.calls).toEqual(['changed']);
  });

  test('importAccounts() adds all that are new, or none where one is bad', async () => {
    await stage.local.addAccount({ address: 'a@example.com', hash });
    const good = { address: 'b@example.com', hash };
    await expect(
      stage.local.importAccounts({ accounts: [good, { address: 'c@example.org', hash }] }),
    ).rejects.toEqual(failure('not-our-domain'));
    await stage.local.setAlias({ address: 'info@example.com', targets: ['a@example.com'] });
    // Mail for it would go where the alias leads, or be taken for a bounce that comes back.
    for (const address of ['info@example.com', 'SRS0=abcd=xy=example.org=ann@example.com'])
      await expect(stage.local.importAccounts({ accounts: [good, { address, hash }] })).rejects.toThrow(
        /is an alias|rewritten return path/,
      );
    expect(await stage.local.listAccounts()).toHaveLength(1);
    const result = await stage.local.importAccounts({ accounts: [{ address: 'a@example.com', hash }, good] });
    expect(result).toEqual({ added: 1, existing: ['a@example.com'] });
  });

  test('setPassword() and removeAccount() say that there is no such account', async () => {
    await expect(stage.local.setPassword({ address: 'x@example.com', password: 'y' })).rejects.toEqual(
      failure('no-such-account'),
    );
    await expect(stage.local.removeAccount({ address: 'x@example.com' })).rejects.toEqual(
      failure('no-such-account'),
    );
  });
});

describe('operations on aliases', () => {
  test('setAlias() makes a mailing list only with an owner who can hear of its errors', async () => {
    await stage.local.addAccount({ address: 'olga@example.com', hash });
    const address = 'club@example.com';
    const asList = (owner: string, name?: string) =>
      stage.local.setAlias({
        ...{ address, targets: ['x@example.org'] },
        list: { owner, post: 'members', ...(name !== undefined && { name }) },
      });
    await asList('Olga@example.com', 'The Club');
    expect(await stage.local.listAliases()).toEqual([
      {
        address,
        targets: ['x@example.org'],
        list: { owner: 'olga@example.com', post: 'members', name: 'The Club' },
      },
    ]);
    await expect(asList(address)).rejects.toThrow(/loop/);
    await expect(asList('x@example.net')).rejects.toEqual(failure('not-our-domain'));
    await expect(asList('nobody@example.com')).rejects.toEqual(failure('no-such-account'));
    await expect(asList('olga@example.com', 'Zoë')).rejects.toThrow(/one line of ASCII/);
  });

  test('setAlias() takes local and remote targets, and refuses what leads nowhere or in a circle', async () => {
    await stage.local.addAccount({ address: 'bob@example.com', hash });
    await stage.local.setAlias({
      address: 'info@example.com',
      targets: ['Bob@example.com', 'Far.Away@example.org'],
    });
    await stage.local.setAlias({ address: 'sales@example.com', targets: ['info@example.com'] });
    expect(await stage.local.listAliases()).toEqual([
      { address: 'info@example.com', targets: ['bob@example.com', 'Far.Away@example.org'] },
      { address: 'sales@example.com', targets: ['info@example.com'] },
    ]);
    const alias = (address: string, target: string) => stage.local.setAlias({ address, targets: [target] });
    await expect(alias('info@example.com', 'sales@example.com')).rejects.toThrow(/loop/);
    await expect(alias('self@example.com', 'self@example.com')).rejects.toThrow(/loop/);
    for (let index = 10; index > 0; index -= 1)
      await alias(`c${index}@example.com`, index === 10 ? 'bob@example.com' : `c${index + 1}@example.com`);
    await expect(alias('c0@example.com', 'c1@example.com')).rejects.toThrow(/more than 10 addresses/);
    await expect(alias('SRS0=x@example.com', 'bob@example.com')).rejects.toThrow(/rewritten/);
    await expect(alias('x@example.com', 'nobody@example.com')).rejects.toEqual(failure('no-such-account'));
    await expect(alias('bob@example.com', 'x@example.org')).rejects.toEqual(failure('exists'));
    await expect(stage.local.addAccount({ address: 'info@example.com', hash })).rejects.toEqual(
      failure('exists'),
    );
    await stage.local.removeAlias({ address: 'sales@example.com' });
    await expect(stage.local.removeAlias({ address: 'sales@example.com' })).rejects.toEqual(
      failure('no-such-alias'),
    );
  });
});
