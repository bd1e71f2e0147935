import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { scriptedResolver } from '../testing/scripted-resolver.ts';
import { allowsHost, parsePolicy } from './policy.ts';
import { readPolicyId } from './record.ts';

interface Case {
  text: string;
  valid: boolean;
  why?: string;
}

const cases: Record<string, Case[]> = JSON.parse(
  readFileSync(new URL('../../testdata/tls-policies/mox.json', import.meta.url), 'utf8'),
);

describe('suite mta-sts: records', () => {
  test.each(cases['sts-record'] ?? [])('suite mta-sts: $text', ({ text, valid }) => {
    expect(readPolicyId([text]) !== undefined).toBe(valid);
  });
});

describe('suite mta-sts: policies', () => {
  test.each(cases['sts-policy'] ?? [])('suite mta-sts: $text', ({ text, valid }) => {
    expect(!('problem' in parsePolicy(text))).toBe(valid);
  });
});

describe('suite mta-sts: look-ups', () => {
  const resolver = scriptedResolver(
    {
      '_mta-sts.other.example': { TXT: ['bogus', 'more'] },
      '_mta-sts.a.example': { TXT: ['v=STSv1; id=1'] },
      '_mta-sts.one.example': { TXT: ['v=STSv1; id=1', 'bogus'] },
      '_mta-sts.bad.example': { TXT: ['v=STSv1; bad'] },
      '_mta-sts.multiple.example': { TXT: ['v=STSv1; id=1', 'v=STSv1; id=2'] },
      '_mta-sts.a.cnames.example': { CNAME: '_mta-sts.b.cnames.example' },
      '_mta-sts.b.cnames.example': { CNAME: '_mta-sts.c.cnames.example' },
      '_mta-sts.c.cnames.example': { TXT: ['v=STSv1; id=1'] },
    },
    {
      // What a resolver says of an alias whose target it cannot ask for.
      failures: { '_mta-sts.temperror.example': 'servfail', '_mta-sts.followtemperror.example': 'servfail' },
    },
  );

  // The zone is the suite's own, as its cases are named after it.
  test.each([
    ['absent.example', undefined],
    ['other.example', undefined],
    ['a.example', '1'],
    ['one.example', '1'],
    ['bad.example', undefined],
    ['multiple.example', undefined],
    ['a.cnames.example', '1'],
    ['temperror.example', 'failed'],
    ['followtemperror.example', 'failed'],
  ])('suite mta-sts: look-up of %s', async (domain, expected) => {
    const answer = await resolver.resolve(`_mta-sts.${domain}`, 'TXT');
    const texts = answer.status === 'found' ? answer.records.map((strings) => strings.join('')) : [];
    expect(answer.status === 'failed' ? 'failed' : readPolicyId(texts)).toBe(expected);
  });
});

test('readPolicyId() knows no policy where there is more than one record, and passes over what is none', () => {
  expect(readPolicyId([])).toBeUndefined();
  expect(readPolicyId(['v=STSv1; id=1', 'v=STSv1; id=1'])).toBeUndefined();
  expect(readPolicyId(['other', 'v=STSv1; id=20260101', 'v=STSv10; id=2'])).toBe('20260101');
});

test('parsePolicy() reads a policy, with its first fields where some are given twice', () => {
  const text =
    'version: STSv1\r\nmode: enforce\r\nmx: MX1.example.com\r\nmx: *.example.net\r\nmax_age: 99999999999\r\n';
  expect(parsePolicy(text)).toEqual({ problem: 'its max_age is not a number of seconds' });
  expect(parsePolicy(text.replace('99999999999', '99999999\nmode: none'))).toEqual({
    mode: 'enforce',
    mx: ['mx1.example.com', '*.example.net'],
    maxAge: 31_557_600,
  });
});

test('allowsHost(): a wildcard stands for one label, the left-most', () => {
  const policy = parsePolicy(
    'version: STSv1\nmode: enforce\nmax_age: 1\nmx: *.example.net\nmx: mx.example.com',
  );
  if ('problem' in policy) throw new Error(policy.problem);
  const allowed = ['mx.example.com', 'MX.Example.COM', 'a.example.net'];
  const refused = ['example.net', 'a.b.example.net', 'a.mx.example.com', 'example.com', 'net', ''];
  expect(allowed.filter((host) => allowsHost(policy, host))).toEqual(allowed);
  expect(refused.filter((host) => allowsHost(policy, host))).toEqual([]);
});

test.each([
  ['a record', (space: string) => readPolicyId([`v=STSv1; id=a${space}x`])],
  ['a policy', (space: string) => parsePolicy(`version: STSv1\nmode: a${space}x`)],
])('%s of much space is read in a time that grows with its length', (_, read) => {
  const startedAt = performance.now();
  read(' '.repeat(500_000));
  expect(performance.now() - startedAt).toBeLessThan(2000);
});
