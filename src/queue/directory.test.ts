import { describe, expect, test } from 'vitest';
import { type Address, parseAddress } from '../mail/address.ts';
import type { AccountSettings, Alias } from '../store/account-store.ts';
import { Directory, type DirectoryParts, type Resolution } from './directory.ts';
import { maxDepth, maxRecipients } from './following.ts';
import { asJunk } from './recipient.ts';

interface World {
  accounts?: string[];
  aliases?: Record<string, string[]>;
  /** Accounts that take no mail. */
  closed?: string[];
  forwards?: Record<string, NonNullable<AccountSettings['forward']>>;
  domains?: DirectoryParts['domains'];
  returnPaths?: DirectoryParts['returnPaths'];
}

/** A directory over plain data, which may be changed, and how often the store was asked. */
function directoryOf({
  accounts = [],
  aliases = {},
  closed = [],
  forwards = {},
  returnPaths,
  domains = [{ name: 'example.com' }],
}: World) {
  const asked = { times: 0 };
  const aliasOf = (address: string): Alias | undefined => {
    const targets = aliases[address];
    return targets && { address, targets };
  };
  const store: DirectoryParts['store'] = {
    async findAccount(address) {
      asked.times++;
      if (!accounts.includes(address)) return undefined;
      const forward = forwards[address];
      const settings: AccountSettings = {
        ...(closed.includes(address) && { receive: false }),
        ...(forward && { forward }),
      };
      return { address, passwordHash: '', createdAt: 0, settings };
    },
    async findAlias(address) {
      asked.times++;
      return aliasOf(address);
    },
    firstAccount: async (domain) => accounts.find((address) => address.endsWith(`@${domain}`)),
    listAliases: async () => Object.keys(aliases).flatMap((address) => aliasOf(address) ?? []),
  };
  const directory = new Directory({ store, domains, ...(returnPaths && { returnPaths }) });
  const resolve = async (text: string): Promise<Resolution> => {
    const address = text === 'postmaster' ? { localPart: text, domain: '' } : parseAddress(text);
    if (!address) throw new Error(`not an address: ${text}`);
    return directory.resolve(address, text);
  };
  return { directory, resolve, asked, accounts, aliases };
}

/** Whom a resolution leads to. */
const addresses = (resolution: Resolution): string[] =>
  resolution.status === 'found' ? resolution.recipients.map(({ address }) => address) : [resolution.status];

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
  const among = async (world: World, account: string, addresses: readonly string[]): Promise<string[]> => {
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

describe('tags, domain aliases, catch-all', () => {
  const way = (resolution: Resolution): string[] =>
    resolution.status === 'found'
      ? resolution.recipients.map(({ address, redirected }) =>
          redirected ? `${redirected.from} → ${address} (${redirected.rule})` : address,
        )
      : [resolution.status];

  test.each([
    ['bob+Tag@example.com', 'bob+Tag@example.com → bob@example.com (subaddress)'],
    ['bob+@example.com', 'bob+@example.com → bob@example.com (subaddress)'],
    ['bob+a+b@example.com', 'bob+a+b@example.com → bob@example.com (subaddress)'],
    ['bob+own@example.com', 'bob+own@example.com'],
    ['info+x@example.com', 'info+x@example.com → bob@example.com (subaddress, alias)'],
    ['list+x@example.com', 'list+x@example.com → eve@example.com (alias)'],
    ['team@example.com', 'team@example.com → bob@example.com (alias, subaddress)'],
    ['+bob@example.com', 'unknown'],
    ['bob-x@example.com', 'unknown'],
    ['mary-ann-news@minus.example', 'mary-ann-news@minus.example → mary-ann@minus.example (subaddress)'],
    ['mary+x@minus.example', 'unknown'],
    ['eve+x@off.example', 'unknown'],
  ])('M12: +tag: <%s>: %s', async (address, expected) => {
    const { resolve } = directoryOf({
      accounts: [
        ...['bob@example.com', 'bob+own@example.com', 'eve@example.com'],
        ...['mary@minus.example', 'mary-ann@minus.example', 'eve@off.example'],
      ],
      aliases: {
        'info@example.com': ['bob@example.com'],
        'list+x@example.com': ['eve@example.com'],
        'list@example.com': ['bob@example.com'],
        'team@example.com': ['bob+team@example.com'],
      },
      domains: [
        { name: 'example.com' },
        { name: 'minus.example', tagSeparator: '-' },
        { name: 'off.example', tagSeparator: '' },
      ],
    });
    expect(way(await resolve(address))).toEqual([expected]);
  });

  test.each([
    ['bob@example.net', 'bob@example.net → bob@example.com (domain alias)'],
    ['bob-x@example.net', 'bob-x@example.net → bob@example.com (domain alias, subaddress)'],
    ['own@example.net', 'own@example.net'],
    ['nobody@example.net', 'nobody@example.net → eve@example.com (catch-all)'],
    ['postmaster@example.net', 'postmaster@example.net → bob@example.com (every domain has a postmaster)'],
  ])('M12: several domains: an alias of a domain: <%s>: %s', async (address, expected) => {
    const { resolve } = directoryOf({
      accounts: ['own@example.net', 'eve@example.com', 'bob@example.com'],
      domains: [
        { name: 'example.net', aliasOf: 'example.com' },
        {
          name: 'example.com',
          tagSeparator: '-',
          catchAll: 'eve@example.com',
          postmaster: 'bob@example.com',
        },
      ],
    });
    expect(way(await resolve(address))).toEqual([expected]);
  });

  test.each([
    ['bob@example.com', 'bob@example.com'],
    ['bob+x@example.com', 'bob+x@example.com → bob@example.com (subaddress)'],
    ['info@example.com', 'info@example.com → bob@example.com (alias)'],
    ['abuse@example.com', 'abuse@example.com → bob@example.com (every domain has a postmaster)'],
    ['else@example.com', 'else@example.com → ann@example.net (catch-all)'],
    ['else@other.example', 'unknown'],
  ])('M12: catch-all: only for what nobody has: <%s>: %s', async (address, expected) => {
    const { resolve } = directoryOf({
      accounts: ['bob@example.com'],
      aliases: { 'info@example.com': ['bob@example.com'], 'rest@example.com': ['ann@example.net'] },
      domains: [{ name: 'example.com', catchAll: 'rest@example.com' }, { name: 'other.example' }],
    });
    expect(way(await resolve(address))).toEqual([expected]);
  });

  test('M12: receive switch: an account that takes no mail is closed, and not caught by a catch-all', async () => {
    const { resolve } = directoryOf({
      accounts: ['bob@example.com', 'eve@example.com'],
      aliases: { 'team@example.com': ['bob@example.com', 'eve@example.com'] },
      closed: ['bob@example.com'],
      domains: [{ name: 'example.com', catchAll: 'eve@example.com' }],
    });
    expect(await resolve('bob@example.com')).toEqual({ status: 'unknown', isClosed: true });
    expect(await resolve('bob+x@example.com')).toEqual({ status: 'unknown', isClosed: true });
    expect(addresses(await resolve('team@example.com'))).toEqual(['eve@example.com']);
  });

  test('duty-1: mail to a role reaches its person even where that takes no other mail', async () => {
    const { resolve } = directoryOf({ accounts: ['bob@example.com'], closed: ['bob@example.com'] });
    expect(addresses(await resolve('postmaster@example.com'))).toEqual(['bob@example.com']);
  });
});

describe('forwards', () => {
  const forwards = {
    'bob@example.com': { to: ['ann@example.net'] },
    'kate@example.com': { to: ['ann@example.net', 'eve@example.com'], keep: true as const },
    'round@example.com': { to: ['robin@example.com'] },
    'robin@example.com': { to: ['round@example.com'] },
    'chain@example.com': { to: ['bob@example.com'] },
    'shut@example.com': { to: ['gone@example.com'] },
  };
  const world = {
    accounts: ['eve@example.com', ...Object.keys(forwards)],
    aliases: {
      'team@example.com': ['bob@example.com', 'eve@example.com'],
      'out@example.com': ['x@example.org'],
    },
    forwards,
  };
  const goals = (resolution: Resolution): string[] =>
    resolution.status === 'found'
      ? resolution.recipients.map(
          ({ address, forwardedBy, junkTo }) => `${address} by ${forwardedBy ?? '-'}, junk: ${junkTo ?? '-'}`,
        )
      : [resolution.status];

  test.each([
    ['bob@example.com', ['ann@example.net by bob@example.com, junk: bob@example.com']],
    ['bob+x@example.com', ['ann@example.net by bob@example.com, junk: bob@example.com']],
    [
      'kate@example.com',
      [
        'ann@example.net by kate@example.com, junk: kate@example.com',
        'eve@example.com by kate@example.com, junk: kate@example.com',
        'kate@example.com by -, junk: -',
      ],
    ],
    ['chain@example.com', ['ann@example.net by chain@example.com, junk: chain@example.com']],
    // A circle of our own: its mail stays.
    ['round@example.com', ['robin@example.com by round@example.com, junk: round@example.com']],
    ['shut@example.com', ['shut@example.com by -, junk: -']],
    [
      'team@example.com',
      ['ann@example.net by bob@example.com, junk: bob@example.com', 'eve@example.com by -, junk: -'],
    ],
    ['out@example.com', ['x@example.org by -, junk: eve@example.com']],
  ])('of <%s>: %j', async (address, expected) => {
    const { resolve } = directoryOf(world);
    expect(goals(await resolve(address))).toEqual(expected);
  });

  test('not-10: who has mail passed on may send as before', async () => {
    const { directory } = directoryOf(world);
    const team = { localPart: 'team', domain: 'example.com' };
    expect(await directory.maySendAs('bob@example.com', team)).toBe(true);
  });

  test('asJunk() keeps it with whose mail it is', async () => {
    const { resolve } = directoryOf(world);
    const junk = async (address: string) => {
      const resolution = await resolve(address);
      return resolution.status === 'found' ? resolution.recipients.map(asJunk) : [];
    };
    const rule = 'junk is not passed on';
    expect(await junk('bob@example.com')).toEqual([
      { kind: 'local', address: 'bob@example.com', destination: '' },
    ]);
    expect(await junk('out@example.com')).toEqual([
      {
        kind: 'local',
        address: 'eve@example.com',
        destination: '',
        redirected: { from: 'out@example.com', rule },
      },
    ]);
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

describe('what leads further than anybody follows', () => {
  const chain = (length: number) =>
    Object.fromEntries(
      Array.from({ length }, (_, index) => [
        `c${index}@example.com`,
        [index === length - 1 ? 'bob@example.com' : `c${index + 1}@example.com`],
      ]),
    );
  const many = (count: number, from = 0) =>
    Array.from({ length: count }, (_, index) => `u${from + index}@example.net`);

  test('M12: an address leads over so many others, and not over one more', async () => {
    const { resolve } = directoryOf({ accounts: ['bob@example.com'], aliases: chain(maxDepth + 2) });
    expect(addresses(await resolve('c2@example.com'))).toEqual(['bob@example.com']);
    expect(await resolve('c0@example.com')).toEqual({
      status: 'endless',
      why: 'leads over more than 10 addresses, one after the other',
    });
  });

  test('M12: nobody is passed over because another branch is too deep', async () => {
    const aliases = { ...chain(maxDepth + 2), 'both@example.com': ['c0@example.com', 'bob@example.com'] };
    const { resolve } = directoryOf({ accounts: ['bob@example.com'], aliases });
    expect((await resolve('both@example.com')).status).toBe('endless');
  });

  test('M12: an address leads to so many recipients, twice-named ones counted once, and to not one more', async () => {
    const aliases = {
      'all@example.com': ['half@example.com', ...many(maxRecipients / 2), ...many(maxRecipients / 2)],
      'half@example.com': many(maxRecipients / 2, maxRecipients / 2),
      'more@example.com': ['all@example.com', 'x@example.net'],
    };
    const { resolve } = directoryOf({ aliases });
    expect(addresses(await resolve('all@example.com'))).toHaveLength(maxRecipients);
    expect(await resolve('more@example.com')).toMatchObject({ status: 'endless' });
  });
});
