import { describe, expect, test } from 'vitest';
import { completeTransport } from '../../config/transport.ts';
import { fakeClock } from '../../testing/fake-clock.ts';
import { scriptedResolver } from '../../testing/scripted-resolver.ts';
import { sampleJob } from '../../testing/store.ts';
import { ConnectionPool } from '../connections/pool.ts';
import { createTransports } from '../transports/transports.ts';
import type { RouteOptions } from './route.ts';
import { SiteTables } from './site-tables.ts';
import { localSite, siteFinder } from './sites.ts';

const options: RouteOptions = {
  hostname: 'mx.example.com',
  isOurs: () => false,
  port: 25,
  allowPrivateAddresses: false,
  random: Math.random,
  clock: fakeClock(),
};
const hosts = { 'mx1.host.example': { A: ['192.0.2.1'] }, 'mx2.host.example': { A: ['192.0.2.2'] } };
const both: [number, string][] = [
  [10, 'mx1.host.example'],
  [10, 'mx2.host.example'],
];
const resolver = scriptedResolver({
  ...hosts,
  'a.example': { MX: both },
  'b.example': { MX: [...both].reverse() },
  'c.example': { MX: [[10, 'mx1.host.example']] },
  'none.example': { MX: [[0, '']] },
});
const { signal } = new AbortController();
const sentBy = { reversePath: 'bob@example.com' };
const to = (destination: string) => sampleJob('Q1', { destination });

const login = { user: 'us', passwordFile: { file: '/nowhere' } };
const transports = createTransports(
  [
    { protocol: 'submission', host: 'relay.example', domains: ['*'], ...login } as const,
    { protocol: 'lmtp', socket: '/run/lmtp', domains: ['a.example'] } as const,
    { protocol: 'mx', domains: ['b.example'] } as const,
    { protocol: 'pipe', command: ['/bin/true'], domains: ['*'], senders: ['example.org'] } as const,
  ].map(completeTransport),
  {
    createPool: (opening) =>
      new ConnectionPool({ dial: () => Promise.reject(), clock: fakeClock(), ehloName: 'x', opening }),
    run: () => Promise.reject(),
    clock: fakeClock(),
  },
);

describe('siteFinder()', () => {
  test('gives domains with the same hosts the same site, others another', async () => {
    const siteOf = siteFinder(resolver, options);
    const [a, b, c, none] = await Promise.all(
      ['a.example', 'b.example', 'c.example', 'none.example'].map((domain) =>
        siteOf(to(domain), signal, sentBy),
      ),
    );
    expect(a).toBe(b);
    expect(new Set([a, c, none]).size).toBe(3);
  });

  test('P7: gives all that falls under one table of limits the same site', async () => {
    const tables = new SiteTables([{ mx: ['host.example'], domains: [] }]);
    const siteOf = siteFinder(resolver, options, { tables });
    const found = await Promise.all(
      ['a.example', 'c.example'].map((domain) => siteOf(to(domain), signal, sentBy)),
    );
    expect(found).toEqual(['host.example', 'host.example']);
  });

  test('asks nobody for local jobs, nor where a transport takes the mail', () => {
    const { length } = resolver.questions;
    expect(siteFinder(resolver, options)(sampleJob('Q1', { kind: 'local' }), signal, sentBy)).toBe(localSite);
    const relayed = siteFinder(resolver, options, { transports });
    expect(relayed(to('a.example'), signal, sentBy)).toBe('relay lmtp /run/lmtp');
    expect(relayed(to('other.example'), signal, sentBy)).toBe('relay submission relay.example:587 as us');
    expect(relayed(to('other.example'), signal, { reversePath: 'bob@example.org' })).toBe('pipe /bin/true');
    expect(resolver.questions).toHaveLength(length);
  });

  test('goes by MX where a transport says so', async () => {
    const siteOf = siteFinder(resolver, options, { transports });
    expect(await siteOf(to('b.example'), signal, sentBy)).toBe(
      await siteFinder(resolver, options)(to('b.example'), signal, sentBy),
    );
  });
});
