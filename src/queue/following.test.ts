import { describe, expect, test } from 'vitest';
import { addresses, directoryOf } from '../testing/directory.ts';
import type { Resolution } from './directory.ts';
import { maxDepth, maxRecipients } from './following.ts';
import { asJunk } from './recipient.ts';

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
