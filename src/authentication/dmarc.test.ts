import { describe, expect, test } from 'vitest';
import type { ZoneData } from '../dns/zone-data.ts';
import { type Script, scriptedResolver } from '../testing/scripted-resolver.ts';
import { startDmarc } from './dmarc.ts';
import { readDmarcRecord } from './dmarc-record.ts';
import { lookUps } from './look-ups.ts';
import type { DkimVerdict, SpfVerdict } from './verdicts.ts';

const spf = (domain = ''): SpfVerdict => ({
  result: domain === '' ? 'none' : 'pass',
  domain,
  scope: 'mailfrom',
  reason: '',
});
const dkim = (domain: string, result: DkimVerdict['result'] = 'pass'): DkimVerdict => ({
  result,
  domain,
  selector: 's',
  algorithm: 'rsa-sha256',
  signature: '',
  aligned: false,
  reason: '',
});

interface Asked {
  zone?: ZoneData;
  script?: Script;
  author?: string;
  spf?: SpfVerdict;
  dkim?: DkimVerdict[];
}

async function check({ zone = {}, script = {}, author = 'example.com', ...found }: Asked) {
  const resolver = scriptedResolver(zone, script);
  const dns = lookUps(resolver, 100, new AbortController().signal);
  const mechanisms = { spf: spf(), dkim: [], ...found };
  return { ...(await startDmarc(dns, { domain: author })(mechanisms)), resolver };
}

const policy = (record: string, domain = 'example.com'): ZoneData => ({
  [`_dmarc.${domain}`]: { TXT: [record] },
});

describe('startDmarc()', () => {
  test('P11: says which record applies, where it was found, and what was asked', async () => {
    const { dmarc } = await check({
      zone: policy('v=DMARC1; p=reject; sp=quarantine'),
      author: 'a.b.example.com',
    });
    expect(dmarc).toMatchObject({
      result: 'fail',
      domain: 'a.b.example.com',
      organizationalDomain: 'example.com',
      policyDomain: 'example.com',
      record: 'v=DMARC1; p=reject; sp=quarantine',
      asked: ['a.b.example.com', 'b.example.com', 'example.com', 'com'],
      policies: ['quarantine'],
      published: { p: 'reject', sp: 'quarantine', testing: false },
    });
  });

  test('walks up in eight questions, however many labels there are (RFC 9989 §4.10)', async () => {
    const author = `${Array.from({ length: 60 }, () => 'x').join('.')}.example.com`;
    const { dmarc, resolver } = await check({ author });
    expect(dmarc.asked).toHaveLength(8);
    expect(resolver.questions).toHaveLength(8);
  });

  test('the walks of one message share their questions', async () => {
    const signatures = ['a', 'b', 'c'].map((name) => dkim(`${name}.example.com`));
    const { resolver, ...found } = await check({ zone: policy('v=DMARC1; p=reject'), dkim: signatures });
    expect(found.dkim.map(({ aligned }) => aligned)).toEqual([true, true, true]);
    expect(resolver.questions.map(({ name }) => name)).toEqual([
      '_dmarc.example.com',
      '_dmarc.com',
      ...['a', 'b', 'c'].map((name) => `_dmarc.${name}.example.com`),
    ]);
  });

  test('looks for the organization of ten domains, and says that there are more', async () => {
    const signatures = Array.from({ length: 12 }, (_, number) => dkim(`n${number}.example.com`));
    const zone = {
      ...policy('v=DMARC1; p=reject'),
      ...Object.fromEntries(
        signatures.map(({ domain }) => [`_dmarc.${domain}`, { TXT: ['v=DMARC1; p=none; psd=n'] }]),
      ),
    };
    const { dmarc } = await check({ zone, dkim: signatures });
    expect(dmarc).toMatchObject({ result: 'temperror', reason: expect.stringContaining('after 10 others') });
  });

  test.each<[string, Asked, object]>([
    [
      'alignment of the same domain, relaxed',
      { spf: spf('example.com') },
      { result: 'pass', aligned: { spf: true, dkim: false } },
    ],
    [
      'alignment below, relaxed',
      { dkim: [dkim('x.example.com')] },
      { result: 'pass', aligned: { spf: false, dkim: true } },
    ],
    ['a signature that failed', { dkim: [dkim('example.com', 'fail')] }, { result: 'fail' }],
    ['a domain that ends alike', { dkim: [dkim('notexample.com')] }, { result: 'fail' }],
    [
      'alignment below, strict',
      { zone: policy('v=DMARC1; p=reject; adkim=s'), dkim: [dkim('x.example.com')] },
      { result: 'fail', alignment: { spf: 'relaxed', dkim: 'strict' } },
    ],
    [
      'another organization below, by psd=n',
      {
        zone: { ...policy('v=DMARC1; p=reject'), ...policy('v=DMARC1; p=none; psd=n', 'x.example.com') },
        dkim: [dkim('x.example.com')],
      },
      { result: 'fail' },
    ],
    [
      't=y: one step less',
      { zone: policy('v=DMARC1; p=reject; t=y') },
      { policies: ['quarantine'], published: { p: 'reject', testing: true } },
    ],
    [
      'np, for a domain that does not exist',
      { zone: policy('v=DMARC1; p=none; np=reject'), author: 'no.example.com' },
      { policies: ['reject'] },
    ],
    [
      'np, for one that does',
      {
        zone: { ...policy('v=DMARC1; p=none; np=reject'), 'yes.example.com': { A: ['192.0.2.1'] } },
        author: 'yes.example.com',
      },
      { policies: ['none'] },
    ],
    [
      'np, where that cannot be known',
      {
        zone: policy('v=DMARC1; p=none; np=reject'),
        script: { failures: { 'x.example.com A': 'servfail' } },
        author: 'x.example.com',
      },
      { result: 'temperror', policies: ['none', 'reject'] },
    ],
    [
      'the record of a public suffix',
      { zone: policy('v=DMARC1; p=reject; psd=y', 'com') },
      { policyDomain: 'com', organizationalDomain: 'example.com', policies: ['reject'] },
    ],
    [
      'a record that could not be looked up',
      { script: { failures: { '_dmarc.com': 'timeout' } }, zone: {} },
      { result: 'temperror', policies: ['none', 'quarantine', 'reject'] },
    ],
    [
      'one above that could not, below one that is known',
      { script: { failures: { '_dmarc.com': 'timeout' } }, dkim: [dkim('example.com')] },
      { result: 'pass', policies: ['reject'] },
    ],
    ['an address instead of a domain', { author: '[192.0.2.1]' }, { result: 'none', asked: [] }],
  ])('%s', async (_, asked, expected) => {
    const { dmarc } = await check({ zone: policy('v=DMARC1; p=reject'), ...asked });
    expect(dmarc).toMatchObject(expected);
  });

  test('several records count as none (RFC 9989 §4.10), and the walk goes on', async () => {
    const zone = {
      '_dmarc.x.example.com': { TXT: ['v=DMARC1; p=none', 'v=DMARC1; p=reject'] },
      ...policy('v=DMARC1; p=quarantine'),
    };
    expect((await check({ zone, author: 'x.example.com' })).dmarc).toMatchObject({
      policyDomain: 'example.com',
    });
  });
});

describe('readDmarcRecord()', () => {
  const none = { p: 'none' };
  test.each<[string, string, object | undefined]>([
    [
      'all that there is',
      'v=DMARC1; p=reject; sp=none; np=quarantine',
      { p: 'reject', sp: 'none', np: 'quarantine' },
    ],
    ['white space and case', ' v = DMARC1 ;P = Reject;', { p: 'reject' }],
    ['junk between', 'v=DMARC1; junk; p=reject; =; ;; x=y; pct=banana', { p: 'reject' }],
    ['octets that are none of ASCII', 'v=DMARC1; p=reject; \u00ff\u0000=\u00fe', { p: 'reject' }],
    ['no policy, but somebody who wants to know', 'v=DMARC1; rua=mailto:a@example.com', none],
    ['a policy that is none, and such a person', 'v=DMARC1; p=block; rua=mailto:a@example.com!10m', none],
    ['no policy and nobody', 'v=DMARC1', undefined],
    ['a report address that is none', 'v=DMARC1; p=block; rua=a@example.com', undefined],
  ])('reads %s', (_, text, policies) => {
    expect(readDmarcRecord(text)?.policies).toEqual(policies);
  });

  test.each([
    ['another version', 'v=DMARC2; p=reject'],
    ['a version that is not first', 'p=reject; v=DMARC1'],
    ['a version in lower case (RFC 9989 §4.7)', 'v=dmarc1; p=reject'],
    ['a tag that stands twice', 'v=DMARC1; p=reject; p=none'],
    ['a record of 10,000 octets', `v=DMARC1; p=reject; ${'x'.repeat(10_000)}`],
    ['nothing', ''],
  ])('%s is no record', (_, text) => {
    expect(readDmarcRecord(text)).toBeUndefined();
  });
});
