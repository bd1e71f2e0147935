import { expect, test } from 'vitest';
import type { FetchedPolicy, PolicyFailure } from '../net/fetch-policy.ts';
import type { WantedRecord } from '../records/wanted-record.ts';
import { seenDns } from '../testing/seen-dns.ts';
import { examineSts } from './tls-policies.ts';

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

const examine = (fetched: FetchedPolicy | PolicyFailure, texts = ['v=STSv1; id=1']) =>
  examineSts({
    ...{ looks: seenDns({ [`_mta-sts.${domain} TXT`]: texts }), domain, announcement },
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
