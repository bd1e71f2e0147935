import { expect, test } from 'vitest';
import type { WantedRecord } from '../records/wanted-record.ts';
import { seenDns } from '../testing/seen-dns.ts';
import { examineCaa } from './caa.ts';

const name = 'mx.example.com';
const account = 'https://ca.example/acct/1?of=us';
const wantedOf = (parameters: string): WantedRecord => ({
  ...{ domain: 'example.com', name, type: 'CAA', data: `0 issue "ca.example${parameters}"`, purpose: 'caa' },
  ...{ need: 'optional', why: 'nobody else can', where: 'zone' },
});
const wanted = wantedOf(`; accounturi=${account}; validationmethods=http-01`);

const look = (texts: string[], { at = name, record = wanted } = {}) =>
  examineCaa({ looks: seenDns({ [`${at} CAA`]: texts }), names: [name], wanted: [record] });
const idsOf = async (...args: Parameters<typeof look>) =>
  (await look(...args)).map(({ id, severity }) => id ?? severity);

test('P12: examineCaa(): nobody is named, ours is, another is, or at a name above', async () => {
  expect(await idsOf([])).toEqual(['caa-missing']);
  expect(await idsOf(['0 issue "ca.example"'])).toEqual(['good']);
  expect(await idsOf(['0 issue "other.example"'])).toEqual(['caa-forbids']);
  expect(await idsOf(['0 issue ";"'], { at: 'example.com' })).toEqual(['caa-forbids']);
  expect(await idsOf(['0 iodef "mailto:ca@example.com"'])).toEqual(['good']);
});

test('P12: examineCaa() permits nothing where nobody tells', async () => {
  const foundOf = (more: Record<string, string[]>) =>
    examineCaa({ looks: seenDns({ [`${name} CAA`]: 'unknown', ...more }), names: [name], wanted: [wanted] });
  expect(await foundOf({})).toEqual([]);
  // Of addresses they do tell: an authority will not issue then.
  expect(await foundOf({ [`${name} A`]: ['192.0.2.1'] })).toMatchObject([{ id: 'caa-unanswered' }]);
});

test.each<[string, string[], string]>([
  ['our account, our method', [`; accounturi=${account}; validationmethods=dns-01,http-01`], 'good'],
  ['capitals, and no spaces', [`;AccountURI=${account};ValidationMethods=http-01`], 'good'],
  ['another account', ['; accounturi=https://ca.example/acct/2'], 'caa-other-account'],
  ['two accounts, which fit nobody', [`; accounturi=${account}; accounturi=${account}`], 'caa-other-account'],
  ['another account, and a record for all', ['; accounturi=https://ca.example/acct/2', ''], 'good'],
  ['another method', ['; validationmethods=dns-01'], 'caa-other-method'],
  [
    'our account by another method',
    [`; accounturi=${account}; validationmethods=dns-01`],
    'caa-other-method',
  ],
])('P12: examineCaa(): %s', async (_, parameters, id) => {
  expect(await idsOf(parameters.map((each) => `0 issue "ca.example${each}"`))).toEqual([id]);
});

test('P12: examineCaa() says what stands there, what is ours, and what to enter', async () => {
  const [finding] = await look(['0 issue "ca.example; accounturi=https://ca.example/acct/2"'], {
    at: 'example.com',
  });
  expect(finding).toMatchObject({
    severity: 'error',
    evidence: expect.stringMatching(
      /^CAA of example\.com has .*acct\/2.*our account is https:\/\/ca\.example\/acct\/1/,
    ),
    remedy: expect.stringContaining('will refuse the next certificate. Enter, for mx.example.com alone'),
    record: expect.stringMatching(/^mx\.example\.com\. .*accounturi=https:\/\/ca\.example\/acct\/1/),
  });
});

test('P12: examineCaa() finds the record of an account that was lost: another one is not let in', async () => {
  const record = wantedOf('; validationmethods=http-01');
  const [finding] = await look([`0 issue "ca.example; accounturi=${account}"`], { record });
  expect(finding).toMatchObject({
    id: 'caa-other-account',
    evidence: expect.stringMatching(/acct\/1.*; this server knows of no account of its own there$/),
    remedy: expect.stringMatching(
      /^Where it was lost, bring acme\/account\.json back from a backup\. Else: the/,
    ),
    record: expect.stringMatching(/IN {2}CAA {2}0 issue "ca\.example; validationmethods=http-01"$/),
  });
  expect(await idsOf(['0 issue "ca.example"'], { record })).toEqual(['good']);
});

test('P12: examineCaa() looks at each certificate that is asked for, and tells once what is found of several', async () => {
  const web = ['mta-sts.example.com', 'mta-sts.example.org'];
  const looks = seenDns({
    [`${name} CAA`]: [wanted.data],
    'example.com CAA': ['0 issue "other.example"'],
    'example.org CAA': ['0 issue "other.example"'],
  });
  expect(await examineCaa({ looks, names: [name, ...web], wanted: [wanted] })).toMatchObject([
    {
      id: 'caa-forbids',
      evidence: expect.stringMatching(
        /^CAA of example\.com allows other\.example to issue for mta-sts\.example\.com, .*the same is found for mta-sts\.example\.org\)$/,
      ),
      record: expect.stringMatching(/^example\.com\. .* CAA {2}0 issue "ca\.example;/),
    },
  ]);
});

test.each<[string[], string[]]>([
  [['0 issue "ca.example"'], ['good']],
  [['0 issue "other.example"', '0 issuewild "ca.example"'], ['good']],
  [['0 issue "ca.example"', '0 issuewild ";"'], ['caa-forbids']],
])(
  'P12: examineCaa() of a wildcard goes by issuewild where there is one (RFC 8659 §4.3): %s',
  async (texts, ids) => {
    const looks = seenDns({ 'example.com CAA': texts, [`${name} CAA`]: [wanted.data] });
    const found = await examineCaa({ looks, names: [name, '*.example.com'], wanted: [wanted] });
    expect(found.map(({ id, severity }) => id ?? severity)).toEqual(ids);
    if (ids[0] === 'caa-forbids') expect(found[0]?.record).toContain('0 issuewild "ca.example;');
  },
);
