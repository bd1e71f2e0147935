import { expect, test } from 'vitest';
import type { FetchedPolicy, PolicyFailure } from '../net/fetch-policy.ts';
import type { WantedRecord } from '../records/wanted-record.ts';
import { seenDns } from '../testing/seen-dns.ts';
import { examineSts, type TlsPolicyParts } from './tls-policies.ts';

const domain = 'example.com';
const announcement: WantedRecord = {
  ...{ domain, name: `_mta-sts.${domain}`, type: 'TXT', data: 'v=STSv1; id=1', purpose: 'mta-sts' },
  ...{ need: 'recommended', why: 'there is such a policy', where: 'zone' },
};
const right = { mode: 'enforce', mx: ['mx.example.com'], maxAge: 604_800 } as const;
const policyOf = (changes: Partial<FetchedPolicy['policy']>): FetchedPolicy => ({
  policy: { ...right, ...changes },
  text: '',
});
const failure = (type: PolicyFailure['type']): PolicyFailure => ({ problem: 'it cannot be had', type });

const examine = (
  fetched: FetchedPolicy | PolicyFailure,
  texts = ['v=STSv1; id=1'],
  more: Partial<TlsPolicyParts> = {},
) =>
  examineSts({
    ...{ looks: seenDns({ [`_mta-sts.${domain} TXT`]: texts }), domain, announcement, ...more },
    ...{ hosts: ['mx.example.com'], fetchPolicy: async () => fetched },
  });

test.each<[string, FetchedPolicy | PolicyFailure, string[]?]>([
  ['good', policyOf({})],
  ['mta-sts-missing', policyOf({}), []],
  ['mta-sts-syntax', policyOf({}), ['v=STSv1; id=']],
  ['mta-sts-syntax', policyOf({}), ['v=STSv1; id=1', 'v=STSv1; id=2']],
  ['mta-sts-no-policy', failure('sts-policy-fetch-error')],
  ['mta-sts-certificate', failure('sts-webpki-invalid')],
  ['mta-sts-policy-syntax', failure('sts-policy-invalid')],
  ['mta-sts-mx-differs', policyOf({ mx: ['old.example.com'] })],
  ['mta-sts-short', policyOf({ maxAge: 3600 })],
  ['mta-sts-not-enforced', policyOf({ mode: 'testing' })],
  ['mta-sts-id-unchanged', policyOf({}), ['v=STSv1; id=2']],
])('P12: examineSts(): %s', async (id, fetched, texts) => {
  const findings = await examine(fetched, texts);
  expect(findings.map((finding) => finding.id ?? finding.severity)).toEqual([id]);
});

test.each([
  ['sts-policy-fetch-error', /itself, without a redirect/],
  ['sts-policy-invalid', /text\/plain/],
  ['sts-webpki-invalid', /mta-sts\.example\.com needs a certificate/],
] as const)('P12: examineSts() says what to do where the policy is not had: %s', async (type, words) => {
  const [elsewhere] = await examine(failure(type));
  expect(elsewhere?.remedy).toMatch(words);
  // Where it is served here, the name leads to somebody else.
  const host: WantedRecord = {
    ...announcement,
    ...{ name: `mta-sts.${domain}`, type: 'CNAME', data: 'mx.example.com.' },
  };
  const [here] = await examine(failure(type), undefined, { host });
  expect(here?.remedy).toContain('let mta-sts.example.com lead here');
});

const lack = 'the certificate is signed by itself. Get one.';
const early = (mode: 'testing' | 'enforce') => ({
  announcement: { ...announcement, notYet: lack },
  served: { policyId: '1', mode, lack },
});

test('P12: examineSts() takes it for a note that nothing is announced before there is a certificate', async () => {
  const findings = await examine(failure('sts-webpki-invalid'), [], early('testing'));
  expect(findings).toMatchObject([
    { id: 'mta-sts-not-yet', severity: 'note', evidence: lack, record: expect.stringContaining('STSv1') },
  ]);
  // Where nothing serves a policy, there is nothing to wait for.
  expect(
    await examine(failure('sts-webpki-invalid'), [], { announcement: early('testing').announcement }),
  ).toEqual([]);
});

test.each([
  ['testing', 'warning'],
  ['enforce', 'error'],
] as const)(
  'P12: examineSts(): announced before there is a certificate, mode %s: %s',
  async (mode, severity) => {
    const findings = await examine(failure('sts-webpki-invalid'), undefined, early(mode));
    expect(findings).toMatchObject([
      { id: 'mta-sts-certificate', severity, remedy: expect.stringContaining('too early') },
    ]);
  },
);

test.each([
  ['testing', 'in mode testing'],
  ['enforce', 'mode = "testing" } first'],
] as const)(
  'P12: examineSts() says to begin with testing where nothing was announced: %s',
  async (mode, words) => {
    const [finding] = await examine(policyOf({}), [], { served: { policyId: '1', mode } });
    expect(finding).toMatchObject({ id: 'mta-sts-missing', remedy: expect.stringContaining(words) });
  },
);
