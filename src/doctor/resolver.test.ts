import { expect, test } from 'vitest';
import type { DirectReply } from '../dns/direct.ts';
import type { DnsLooks } from './dns-looks.ts';
import { examineResolver } from './resolver.ts';

const reply = (authentic: boolean): DirectReply => ({
  ...{ rcode: 'NOERROR', authoritative: false, authentic },
  ...{ answers: [], authorities: [], additionals: [], sets: [] },
});

const examine = async ({ authentic, isLocal }: { authentic: boolean; isLocal: boolean }) => {
  const looks = {
    recurse: async () => reply(authentic),
    resolve: async () => ({ status: 'none', records: [] }),
    zoneOf: async () => undefined,
  };
  // The examination asks nothing else.
  const parts = { looks: looks as unknown as DnsLooks, resolver: '192.0.2.53', domain: 'example.com' };
  return (await examineResolver({ ...parts, isLocal, nobody: 'nobody' }))[0];
};

test('P12: examineResolver() believes of signatures what a resolver on this machine says', async () => {
  expect(await examine({ authentic: true, isLocal: true })).toMatchObject({ severity: 'good' });
});

test.each([
  ['checks nothing', { authentic: false, isLocal: true }, /does not say of any answer/],
  ['is elsewhere', { authentic: true, isLocal: false }, /not on this machine/],
] as const)('P12: examineResolver(): a resolver that %s', async (_, seen, evidence) => {
  expect(await examine(seen)).toMatchObject({
    id: 'resolver-unvalidating',
    severity: 'note',
    evidence: expect.stringMatching(evidence),
  });
});
