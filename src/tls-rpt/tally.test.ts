import { expect, test } from 'vitest';
import type { TlsResult } from './result.ts';
import { addResult, type DomainTally, emptyTally, maxDetails, maxPolicies, sumOf } from './tally.ts';

const none = { type: 'no-policy-found', domain: 'example.net', strings: [], mxHosts: [] } as const;
const sts = {
  type: 'sts',
  domain: 'example.net',
  strings: ['version: STSv1', 'mode: enforce', 'mx: mx.example.net', 'max_age: 1'],
  mxHosts: ['mx.example.net'],
} as const;
const receiver = { host: 'mx.example.net', address: '192.0.2.1' };

const result = (changes: Partial<TlsResult> = {}): TlsResult => ({
  at: 0,
  domain: 'example.net',
  policy: sts,
  receiver,
  sendingAddress: '198.51.100.1',
  ...changes,
});
const tallyOf = (...results: TlsResult[]): DomainTally => {
  const tally = emptyTally();
  for (const each of results) addResult(tally, each);
  return tally;
};
const expired = { type: 'certificate-expired', reason: 'certificate has expired' } as const;

test('addResult() counts by policy, and failures by what they have in common', () => {
  const other = { host: 'mx2.example.net', address: '192.0.2.2' };
  const tally = tallyOf(
    result(),
    result({ policy: none }),
    result({ failure: expired }),
    result({ failure: expired }),
    result({ failure: expired, receiver: other }),
    result({ policy: { ...sts, strings: ['version: STSv1', 'mode: testing'] } }),
  );
  expect(tally.policies.map(({ successes, failures }) => [successes, failures])).toEqual([
    [1, 3],
    [1, 0],
    [1, 0],
  ]);
  expect(tally.policies[0]?.details).toEqual([
    { count: 2, sendingAddress: '198.51.100.1', ...receiver, ...expired },
    { count: 1, sendingAddress: '198.51.100.1', ...other, ...expired },
  ]);
  expect(sumOf(tally)).toEqual({ successes: 3, failures: 3 });
});

test('addResult() counts a policy that could not be had, where there was no connection', () => {
  const failure = { type: 'sts-policy-fetch-error' } as const;
  const tally = tallyOf({
    at: 0,
    domain: 'example.net',
    policy: { ...sts, strings: [], mxHosts: [] },
    failure,
  });
  expect(tally.policies[0]?.details).toEqual([{ type: 'sts-policy-fetch-error', count: 1 }]);
});

test('addResult() has room for so many different failures, and counts the others by their type', () => {
  const failures = Array.from({ length: maxDetails + 10 }, (_, n) =>
    result({ failure: { type: n % 2 ? 'validation-failure' : 'certificate-expired', reason: `no. ${n}` } }),
  );
  const [policy] = tallyOf(...failures).policies;
  expect(policy?.failures).toBe(maxDetails + 10);
  expect(policy?.details.slice(maxDetails)).toEqual([
    { type: 'certificate-expired', count: 5 },
    { type: 'validation-failure', count: 5 },
  ]);
});

test('addResult() has room for so many policies, and cuts what is too long', () => {
  const tally = emptyTally();
  const long = { ...sts, strings: ['mode: enforce', 'x'.repeat(100_000), 'mx: a'] };
  expect(addResult(tally, result({ policy: long, failure: { ...expired, reason: 'y'.repeat(1000) } }))).toBe(
    true,
  );
  expect(tally.policies[0]?.policy.strings).toEqual(['mode: enforce']);
  expect(tally.policies[0]?.details[0]?.reason).toHaveLength(200);
  const added = Array.from({ length: maxPolicies }, (_, n) =>
    addResult(tally, result({ policy: { ...none, type: 'tlsa', strings: [`3 1 1 ${n}`] } })),
  );
  expect(added.filter((each) => !each)).toEqual([false]);
});
