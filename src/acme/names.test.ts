import { describe, expect, it } from 'vitest';
import type { Resolver } from '../dns/resolver.ts';
import { namesThatAreOurs } from './names.ts';

describe('namesThatAreOurs()', () => {
  const addresses: Record<string, string[] | undefined> = {
    'mx.example.com': ['192.0.2.1', '2001:db8::1'],
    'mta-sts.example.com': ['192.0.2.1'],
    'autoconfig.example.com': ['198.51.100.1'],
    'broken.example.com': undefined,
  };
  const resolver: Resolver = {
    // As only A and AAAA are asked for.
    resolve: async (name: string, type: string) => {
      const all = name in addresses ? addresses[name] : [];
      if (all === undefined) return { status: 'failed', detail: 'SERVFAIL' } as never;
      const records = all.filter((address) => address.includes(':') === (type === 'AAAA'));
      const none = { status: 'none', reason: 'nodata', ttl: 60, authentic: false };
      return (records.length > 0 ? { status: 'found', records, ttl: 60, authentic: false } : none) as never;
    },
  };
  const names = Object.keys(addresses).slice(1);

  it('are those that lead where our own name leads', async () => {
    expect(await namesThatAreOurs(resolver, 'mx.example.com', names, [])).toEqual(['mta-sts.example.com']);
  });

  it('stay what they were where DNS does not say', async () => {
    expect(await namesThatAreOurs(resolver, 'mx.example.com', names, ['broken.example.com'])).toEqual([
      'mta-sts.example.com',
      'broken.example.com',
    ]);
    expect(await namesThatAreOurs(resolver, 'broken.example.com', names, ['autoconfig.example.com'])).toEqual(
      ['autoconfig.example.com'],
    );
  });
});
