import { expect, test } from 'vitest';
import type { SourceReport } from '../delivery/guard/guard.ts';
import { sectionOf } from './source-section.ts';
import { sourceFinding } from './sources.ts';

const six = { publicAddress: '2001:db8::1', ehloName: 'mx.example.com' };
const four = { publicAddress: '203.0.113.7', ehloName: 'mx.example.com' };
type Found = SourceReport['findings'][number];
const bad = (check: Found['check'], more: Partial<Found> = {}): Found => ({
  ...{ check, subject: '', result: 'bad', evidence: 'as it was seen', failures: 1 },
  ...more,
});

test('P12: a PTR that is missing for IPv6 is said with what comes of it, and what is done until then', () => {
  const finding = sourceFinding(bad('reverse', { evidence: 'PTR of 2001:db8::1 is missing' }), six);
  expect(finding).toMatchObject({ id: 'ptr-missing-ipv6', severity: 'error' });
  expect(`${finding.evidence}: ${finding.remedy}`).toMatch(
    /^PTR of 2001:db8::1 is missing: Gmail refuses mail from IPv6 without it.* Posthorn sends over IPv4 until it is there/,
  );
});

test.each<[string, Found, typeof six]>([
  ['ptr-missing', bad('reverse'), four],
  ['ptr-not-confirmed', bad('reverse', { names: ['other.example'] }), four],
  ['ptr-other-name', bad('reverse', { result: 'good', names: ['vps.provider.example'] }), four],
  ['ptr-unknown', bad('reverse', { result: 'unknown' }), four],
  ['ehlo-no-address', bad('ehlo'), four],
  ['ehlo-unknown', bad('ehlo', { result: 'unknown' }), four],
  ['address-unusable', bad('address'), four],
  ['spf-misses-address', bad('spf', { subject: 'example.com' }), four],
  ['blocklist-listed', bad('blocklist', { subject: 'bl.example' }), four],
  ['blocklist-deaf', bad('blocklist', { subject: 'bl.example', result: 'unknown' }), four],
])('P12: sourceFinding(): %s', (id, finding, source) => {
  expect(sourceFinding(finding, source)).toMatchObject({ id, remedy: expect.stringMatching(/\w/) });
});

test('P12: a reverse name that is right, without a way back: the record to enter is that of the way back', () => {
  const names = ['mx.example.com'];
  expect(
    sourceFinding(bad('reverse', { names, record: '7.113.0.203.in-addr.arpa. PTR' }), four),
  ).toMatchObject({
    id: 'ptr-not-confirmed',
    record: expect.stringMatching(/^mx\.example\.com\..* A {2}203\.0\.113\.7$/),
    remedy: expect.stringContaining('The reverse name is right'),
  });
});

const config = { guard: { enabled: true }, sources: [], domains: [{ name: 'example.com' }] };
// Of a configuration, this is all that is looked at.
const section = (more: object = {}) =>
  sectionOf([], { ...config, ...more } as unknown as Parameters<typeof sectionOf>[1]).examined.flatMap(
    ({ findings }) => findings.map(({ id }) => id),
  );

test('P12: a machine without a public address, and a domain that no source is for', () => {
  expect(section()).toEqual(['no-public-address']);
  const sources = [{ address: '203.0.113.7', senders: ['example.net'] }];
  expect(section({ sources })).toContain('no-source');
});

test.each<[string, [isFit: boolean, rank: number][], string[]]>([
  ['alone, with faults', [[true, 200]], ['']],
  [
    'of two the better one',
    [
      [true, 200],
      [true, 10],
    ],
    [', but from others first', ''],
  ],
  [
    'of two alike',
    [
      [true, 10],
      [true, 10],
    ],
    ['', ''],
  ],
])('sectionOf() says of which address mail leaves first: %s', (_, standings, ends) => {
  const reports = standings.map(([isFit, rank], index) => ({
    ...{ address: `203.0.113.${index}`, publicAddress: `203.0.113.${index}`, ehloName: 'mx.example.com' },
    ...{ checkedAt: 0, findings: [], standing: { isFit, rank } },
  }));
  const sources = reports.map(({ address }) => ({ address, senders: [] }));
  const { examined } = sectionOf(reports, { ...config, sources } as unknown as Parameters<
    typeof sectionOf
  >[1]);
  expect(examined.map(({ verdict }) => verdict)).toEqual(ends.map((end) => `mail is sent from here${end}`));
});
