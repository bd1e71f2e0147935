import { expect, test } from 'vitest';
import type { ZoneData } from '../../dns/zone-data.ts';
import { type Script, scriptedResolver } from '../../testing/scripted-resolver.ts';
import type { ProvenHost } from '../route/route-hosts.ts';
import { findDane } from './dane-look-up.ts';

const host = 'mx.example.net';
const at = (name: string) => `_25._tcp.${name}`;
const digest = 'ab'.repeat(32);
const good = { TLSA: [[3, 1, 1, digest]] } as const;
const useless = { TLSA: [[1, 1, 1, digest]] } as const; // PKIX-EE is not for SMTP
const record = { usage: 3, selector: 1, matchingType: 1, data: Buffer.from(digest, 'hex') };

function find(data: ZoneData, script: Script, proven?: ProvenHost) {
  const resolver = scriptedResolver(data, script);
  const wanted = { host: { host, preference: 10, addresses: [], ...(proven && { proven }) }, port: 25 };
  const found = findDane(resolver, wanted);
  return { found, asked: () => resolver.questions.map(({ name, type }) => `${name} ${type}`) };
}

const straight: ProvenHost = { addresses: true };
const aliased: ProvenHost = { addresses: true, alias: 'real.example.org' };
const all: Script = { authentic: true };
const aliasData: ZoneData = { [host]: { CNAME: 'real.example.org' } };

test.each<[string, ZoneData, Script, ProvenHost, unknown]>([
  [
    'an authentic record',
    { [at(host)]: good },
    all,
    straight,
    { kind: 'dane', base: host, records: [record] },
  ],
  [
    'only records that cannot be used',
    { [at(host)]: useless },
    all,
    straight,
    { kind: 'encrypted', base: host },
  ],
  ['no record', {}, all, straight, undefined],
  ['a record that is not signed', { [at(host)]: good }, {}, straight, undefined],
  [
    'a record below the canonical name',
    { ...aliasData, [at('real.example.org')]: good, [at(host)]: useless },
    all,
    aliased,
    { kind: 'dane', base: 'real.example.org', records: [record] },
  ],
  [
    'a record below the alias alone',
    { ...aliasData, [at(host)]: good },
    all,
    aliased,
    { kind: 'dane', base: host, records: [record] },
  ],
  [
    'an alias out of the signed zone',
    { ...aliasData, [at(host)]: good },
    { authentic: [host] },
    { addresses: false, alias: 'real.example.org' },
    { kind: 'dane', base: host, records: [record] },
  ],
  [
    'an alias that nobody signed',
    { ...aliasData, [at(host)]: good },
    { authentic: [at(host)] },
    { addresses: false, alias: 'real.example.org' },
    undefined,
  ],
])('P9: findDane() finds for %s what RFC 7672 §2.2 says', async (_, data, script, proven, expected) => {
  expect(await find(data, script, proven).found).toEqual(expected);
});

test.each(['servfail', 'timeout'] as const)('P9: a TLSA look-up with %s is no "no DANE"', async (failure) => {
  const { found } = find({}, { authentic: true, failures: { [`${at(host)} TLSA`]: failure } }, straight);
  expect(await found).toMatchObject({ kind: 'unknown', base: host, reason: expect.any(String) });
});

test.each(['servfail', 'timeout'] as const)(
  'P9: an alias of which %s is the answer is no "no DANE"',
  async (failure) => {
    const script: Script = { authentic: [host], failures: { [`${host} CNAME`]: failure } };
    const { found } = find({ [at(host)]: good }, script, { addresses: false, alias: 'real.example.org' });
    expect(await found).toMatchObject({ kind: 'unknown', base: host, reason: expect.any(String) });
  },
);

test('P9: nothing is asked where the host or its addresses are not proven', async () => {
  for (const proven of [undefined, { addresses: false }]) {
    const { found, asked } = find({ [at(host)]: good }, all, proven);
    expect(await found).toBeUndefined();
    expect(asked()).toEqual([]);
  }
});
