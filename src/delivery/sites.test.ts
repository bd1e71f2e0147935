import { describe, expect, test } from 'vitest';
import { fakeClock } from '../testing/fake-clock.ts';
import { scriptedResolver } from '../testing/scripted-resolver.ts';
import { sampleJob } from '../testing/store.ts';
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
const to = (destination: string) => sampleJob('Q1', { destination });

describe('siteFinder()', () => {
  test('gives domains with the same hosts the same site, others another', async () => {
    const siteOf = siteFinder(resolver, options);
    const [a, b, c, none] = await Promise.all(
      ['a.example', 'b.example', 'c.example', 'none.example'].map((domain) => siteOf(to(domain), signal)),
    );
    expect(a).toBe(b);
    expect(new Set([a, c, none]).size).toBe(3);
  });

  test('P7: gives all that falls under one table of limits the same site', async () => {
    const tables = new SiteTables([{ mx: ['host.example'], domains: [] }]);
    const siteOf = siteFinder(resolver, options, tables);
    const found = await Promise.all(['a.example', 'c.example'].map((domain) => siteOf(to(domain), signal)));
    expect(found).toEqual(['host.example', 'host.example']);
  });

  test('asks nobody for local jobs, nor where everything goes to a relay host', () => {
    const relayHost = { host: 'relay.example', port: 2525 };
    const { length } = resolver.questions;
    expect(siteFinder(resolver, options)(sampleJob('Q1', { kind: 'local' }), signal)).toBe(localSite);
    const relayed = siteFinder(resolver, { ...options, relayHost });
    expect(relayed(to('a.example'), signal)).toBe(relayed(to('c.example'), signal));
    expect(resolver.questions).toHaveLength(length);
  });
});
