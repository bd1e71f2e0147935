import { describe, expect, test } from 'vitest';
import { type Address, parseAddress } from '../mail/address.ts';
import { addresses, type DirectoryWorld, directoryOf } from '../testing/directory.ts';
import { Directory, type DirectoryParts } from './directory.ts';

describe('Directory.resolve()', () => {
  test('finds an account however its address is written', async () => {
    const { resolve } = directoryOf({ accounts: ['bob@example.com'] });
    expect(await resolve('Bob@EXAMPLE.com')).toEqual({
      status: 'found',
      recipients: [{ kind: 'local', address: 'bob@example.com', destination: '' }],
    });
  });

  test('duty-3: knows who does not exist', async () => {
    const { resolve } = directoryOf({ accounts: ['bob@example.com'] });
    expect(await resolve('nobody@example.com')).toEqual({ status: 'unknown' });
  });

  test('P5: knows what is not ours, and leaves it as it was written', async () => {
    const { resolve } = directoryOf({ accounts: ['bob@example.com'] });
    expect(await resolve('Ann@Example.net')).toEqual({
      status: 'elsewhere',
      recipient: { kind: 'remote', address: 'Ann@Example.net', destination: 'example.net' },
    });
  });

  test('follows aliases, to several and to other domains, and says so', async () => {
    const { resolve } = directoryOf({
      accounts: ['bob@example.com', 'eve@example.com'],
      aliases: {
        'team@example.com': ['all@example.com', 'ann@example.net'],
        'all@example.com': ['bob@example.com', 'eve@example.com'],
      },
    });
    const redirected = { from: 'team@example.com', rule: 'alias' };
    expect(await resolve('team@example.com')).toEqual({
      status: 'found',
      recipients: [
        { kind: 'local', address: 'bob@example.com', destination: '', redirected },
        { kind: 'local', address: 'eve@example.com', destination: '', redirected },
        {
          kind: 'remote',
          address: 'ann@example.net',
          destination: 'example.net',
          redirected,
          junkTo: 'bob@example.com',
        },
      ],
    });
  });

  test('names a person once, by however many ways', async () => {
    const { resolve } = directoryOf({
      accounts: ['bob@example.com'],
      aliases: {
        'team@example.com': ['bob@example.com', 'info@example.com'],
        'info@example.com': ['bob@example.com'],
      },
    });
    expect(addresses(await resolve('team@example.com'))).toEqual(['bob@example.com']);
  });

  test('ends where aliases go in circles, and soon', async () => {
    const names = Array.from({ length: 30 }, (_, number) => `list${number}@example.com`);
    const { resolve, asked } = directoryOf({
      accounts: ['bob@example.com'],
      aliases: Object.fromEntries(names.map((name) => [name, [...names, 'bob@example.com']])),
    });
    expect(addresses(await resolve('list0@example.com'))).toEqual(['bob@example.com']);
    expect(asked.times).toBeLessThan(100);
  });

  test('an alias that leads nowhere is an unknown user', async () => {
    const { resolve } = directoryOf({ aliases: { 'old@example.com': ['gone@example.com'] } });
    expect(addresses(await resolve('old@example.com'))).toEqual(['unknown']);
  });

  test('remembers the answer until it is told to forget', async () => {
    const { directory, resolve, asked, accounts } = directoryOf({ accounts: ['bob@example.com'] });
    await resolve('ann@example.com');
    const { times } = asked;
    accounts.push('ann@example.com');
    expect(addresses(await resolve('ann@example.com'))).toEqual(['unknown']);
    expect(asked.times).toBe(times);
    directory.forget();
    expect(addresses(await resolve('ann@example.com'))).toEqual(['ann@example.com']);
  });

  test('not-12: does not remember an error of the store', async () => {
    const { store } = brokenOnce();
    const directory = new Directory({ store, domains: [{ name: 'example.com' }] });
    const bob = { localPart: 'bob', domain: 'example.com' };
    await expect(directory.resolve(bob, 'bob@example.com')).rejects.toThrow('disk on fire');
    expect(addresses(await directory.resolve(bob, 'bob@example.com'))).toEqual(['bob@example.com']);
  });
});

function brokenOnce(): { store: DirectoryParts['store'] } {
  let broken = true;
  return {
    store: {
      async findAlias() {
        if (!broken) return undefined;
        broken = false;
        throw new Error('disk on fire');
      },
      findAccount: async (address) => ({ address, passwordHash: '', createdAt: 0 }),
      firstAccount: async () => undefined,
      listAliases: async () => [],
    },
  };
}

describe('the addresses that every domain owes the world', () => {
  const domains = [{ name: 'example.com', postmaster: 'eve@example.com' }, { name: 'example.org' }];
  const accounts = ['bob@example.com', 'eve@example.com', 'first@example.org', 'second@example.org'];

  test.each([
    ['postmaster@example.com', 'eve@example.com'],
    ['PostMaster@example.com', 'eve@example.com'],
    ['abuse@example.com', 'eve@example.com'],
    ['postmaster@example.org', 'first@example.org'],
    ['abuse@example.org', 'first@example.org'],
    ['postmaster', 'eve@example.com'],
  ])('duty-1: <%s> reaches %s', async (address, person) => {
    const { resolve } = directoryOf({ accounts, domains });
    expect(addresses(await resolve(address))).toEqual([person]);
  });

  test('duty-1: a domain without accounts has the postmaster of another', async () => {
    const { resolve } = directoryOf({
      accounts: ['bob@example.com'],
      domains: [{ name: 'empty.example' }, ...domains.slice(1), { name: 'example.com' }],
    });
    expect(addresses(await resolve('postmaster@empty.example'))).toEqual(['bob@example.com']);
  });

  test('duty-1: an account or an alias of that name goes first', async () => {
    const { resolve } = directoryOf({
      accounts: [...accounts, 'postmaster@example.com'],
      aliases: { 'abuse@example.com': ['bob@example.com'] },
      domains,
    });
    expect(addresses(await resolve('postmaster@example.com'))).toEqual(['postmaster@example.com']);
    expect(addresses(await resolve('abuse@example.com'))).toEqual(['bob@example.com']);
  });

  test('duty-1: where the configured postmaster is nobody (yet), the first account stands in', async () => {
    const { directory, resolve } = directoryOf({
      accounts,
      domains: [{ name: 'example.com', postmaster: 'typo@example.com' }, { name: 'example.org' }],
    });
    expect(addresses(await resolve('postmaster@example.com'))).toEqual(['bob@example.com']);
    expect(addresses(await resolve('abuse@example.com'))).toEqual(['bob@example.com']);
    expect(await directory.domainsWithoutPostmaster()).toEqual(['example.com']);
  });

  test('duty-1: a postmaster who is an alias reaches who is behind it', async () => {
    const { resolve } = directoryOf({
      accounts,
      aliases: { 'admin@example.com': ['bob@example.com'] },
      domains: [{ name: 'example.com', postmaster: 'admin@example.com' }],
    });
    expect(addresses(await resolve('postmaster@example.com'))).toEqual(['bob@example.com']);
  });
});

describe('Directory.domainsWithoutPostmaster()', () => {
  test('duty-1: tells where nobody at all can be one, until there is an account', async () => {
    const { directory, accounts } = directoryOf({ domains: [{ name: 'example.com' }] });
    expect(await directory.domainsWithoutPostmaster()).toEqual(['example.com']);
    accounts.push('bob@example.com');
    directory.forget();
    expect(await directory.domainsWithoutPostmaster()).toEqual([]);
  });

  test('has nothing to say of a postmaster elsewhere, or behind an alias', async () => {
    const { directory } = directoryOf({
      accounts: ['bob@example.com'],
      aliases: { 'admin@example.com': ['bob@example.com'] },
      domains: [
        { name: 'example.com', postmaster: 'admin@example.com' },
        { name: 'example.org', postmaster: 'ann@example.net' },
      ],
    });
    expect(await directory.domainsWithoutPostmaster()).toEqual([]);
  });
});

describe('Directory.maySendAs()', () => {
  const among = async (
    world: DirectoryWorld,
    account: string,
    addresses: readonly string[],
  ): Promise<string[]> => {
    const { directory } = directoryOf(world);
    const own: string[] = [];
    for (const text of addresses) {
      const address = parseAddress(text);
      if (address && (await directory.maySendAs(account, address))) own.push(text);
    }
    return own;
  };

  test('does not remember an error of the store', async () => {
    const { store } = brokenOnce();
    const directory = new Directory({ store, domains: [{ name: 'example.com' }] });
    const bob = { localPart: 'bob', domain: 'example.com' };
    await expect(directory.maySendAs('bob@example.com', bob)).rejects.toThrow('disk on fire');
    expect(await directory.maySendAs('bob@example.com', bob)).toBe(true);
  });

  test('not-10: an account may use its own address and the aliases that lead to it, and no other', async () => {
    const world = {
      accounts: ['bob@example.com', 'eve@example.com'],
      aliases: {
        'info@example.com': ['bob@example.com'],
        'team@example.com': ['info@example.com', 'eve@example.com'],
        'away@example.com': ['ann@example.net'],
      },
    };
    const all = [...world.accounts, ...Object.keys(world.aliases), 'nobody@example.com', 'ann@example.net'];
    expect(await among(world, 'bob@example.com', all)).toEqual([
      'bob@example.com',
      'info@example.com',
      'team@example.com',
    ]);
    expect(await among(world, 'eve@example.com', all)).toEqual(['eve@example.com', 'team@example.com']);
  });

  test('M12: with a tag of one’s own, but not where that is somebody else’s address', async () => {
    const world = {
      accounts: ['bob@example.com', 'bob+shop@example.com'],
      aliases: { 'bob+news@example.com': ['bob+shop@example.com'], 'info@example.com': ['bob@example.com'] },
    };
    const tagged = [
      'bob+x@example.com',
      'bob+shop@example.com',
      'bob+news@example.com',
      'Info+y@example.com',
    ];
    expect(await among(world, 'bob@example.com', tagged)).toEqual([
      'bob+x@example.com',
      'Info+y@example.com',
    ]);
  });

  test('M12: in a domain that stands for the account’s own; never by a catch-all', async () => {
    const world = {
      accounts: ['bob@example.com'],
      domains: [
        { name: 'example.com', catchAll: 'bob@example.com' },
        { name: 'example.net', aliasOf: 'example.com' },
      ],
    };
    const all = ['bob@example.net', 'bob+x@example.net', 'other@example.com', 'other@example.net'];
    expect(await among(world, 'bob@example.com', all)).toEqual(all.slice(0, 2));
  });
});

describe('bounces to senders whose mail went on from here', () => {
  const withReturns = (sender: Address) =>
    directoryOf({
      accounts: ['bob@example.com'],
      returnPaths: {
        reverse: ({ localPart }) =>
          localPart.endsWith('=good')
            ? { kind: 'valid', sender }
            : { kind: localPart.endsWith('=old') ? 'expired' : 'forged' },
      },
    });

  test('go there, and nobody else', async () => {
    const { resolve } = withReturns({ localPart: 'ann', domain: 'example.net' });
    const redirected = { from: 'SRS0=good@example.com', rule: 'the sender of mail that went on from here' };
    expect(await resolve('SRS0=good@example.com')).toEqual({
      status: 'found',
      recipients: [
        {
          kind: 'remote',
          address: 'ann@example.net',
          destination: 'example.net',
          redirected,
          isReturn: true,
        },
      ],
    });
    for (const other of ['srs0=old', 'SRS0=forged', 'SRS1=x'])
      expect(await resolve(`${other}@example.com`)).toEqual({ status: 'unknown' });
  });

  test('find a sender who is ours by now', async () => {
    const { resolve } = withReturns({ localPart: 'bob', domain: 'example.com' });
    expect(addresses(await resolve('SRS0=good@example.com'))).toEqual(['bob@example.com']);
  });
});
