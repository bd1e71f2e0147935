import { expect, test } from 'vitest';
import type { ZoneData } from '../dns/zone-data.ts';
import { scriptedResolver } from '../testing/scripted-resolver.ts';
import { dmarcTargets } from './dmarc-targets.ts';

const { signal } = new AbortController();
const record = (...rua: string[]): ZoneData => ({
  '_dmarc.a.example': { TXT: [`v=DMARC1; p=none; rua=${rua.join()}`] },
});
const uris = async (data: ZoneData, failures: Record<string, 'timeout'> = {}) =>
  (await dmarcTargets(scriptedResolver(data, { failures }), 'a.example', signal))?.map(({ uri }) => uri);

test('dmarcTargets() are the addresses of the record, with what they take at most', async () => {
  const resolver = scriptedResolver(
    record('mailto:d@a.example!10m', 'mailto:e@mail.a.example', 'https://a.example/'),
  );
  expect(await dmarcTargets(resolver, 'a.example', signal)).toEqual([
    { uri: 'mailto:d@a.example', maxBytes: 10 * 2 ** 20 },
    { uri: 'mailto:e@mail.a.example' },
  ]);
});

const elsewhere = 'mailto:d@reports.example';
const agreement = 'a.example._report._dmarc.reports.example';
test.each<[string, ZoneData, string[]]>([
  ['has not agreed', {}, []],
  ['has agreed', { [agreement]: { TXT: ['v=DMARC1'] } }, [elsewhere]],
  ['says something else', { [agreement]: { TXT: ['v=spf1 -all'] } }, []],
  [
    'wants it elsewhere on its host',
    { [agreement]: { TXT: ['v=DMARC1; rua=mailto:x@reports.example'] } },
    ['mailto:x@reports.example'],
  ],
  ['leads to a third', { [agreement]: { TXT: ['v=DMARC1; rua=mailto:x@victim.example'] } }, []],
])('dmarcTargets(): an address elsewhere that %s', async (_, zone, expected) => {
  // Two organizations: each has a record of its own.
  const data = { ...record(elsewhere), '_dmarc.reports.example': { TXT: ['v=DMARC1; p=none'] }, ...zone };
  expect(await uris(data)).toEqual(expected);
});

test('dmarcTargets() needs no agreement within one organization', async () => {
  const data: ZoneData = {
    '_dmarc.sub.org.example': { TXT: ['v=DMARC1; p=none; rua=mailto:d@org.example'] },
    '_dmarc.org.example': { TXT: ['v=DMARC1; p=none'] },
  };
  const found = await dmarcTargets(scriptedResolver(data), 'sub.org.example', signal);
  expect(found).toEqual([{ uri: 'mailto:d@org.example' }]);
});

test('dmarcTargets() are not known where DNS does not answer, and none where there is no record or more than one', async () => {
  expect(await uris(record('mailto:d@a.example'), { '_dmarc.a.example': 'timeout' })).toBeUndefined();
  expect(await uris(record(elsewhere), { [agreement]: 'timeout' })).toBeUndefined();
  expect(await uris({})).toEqual([]);
  const one = 'v=DMARC1; p=none; rua=mailto:d@a.example';
  expect(await uris({ '_dmarc.a.example': { TXT: [one, one] } })).toEqual([]);
});
