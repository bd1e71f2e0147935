import { describe, expect, test } from 'vitest';
import { addresses, directoryOf } from '../testing/directory.ts';
import type { Resolution } from './directory.ts';

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
