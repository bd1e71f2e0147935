import { expect, test } from 'vitest';
import type { ZoneData } from '../../dns/zone-data.ts';
import type { JobRow } from '../../store/job.ts';
import type { MessageRow } from '../../store/message.ts';
import { scriptedResolver } from '../../testing/scripted-resolver.ts';
import { systemClock } from '../../util/clock.ts';
import type { StsPolicies } from '../tls/sts-policies.ts';
import { findLegs } from './legs.ts';

const mx = { MX: [[10, 'mx.example.net']] } as const;
const dns: ZoneData = {
  'a.example': mx,
  'b.example': mx,
  'strict.example': mx,
  'closed.example': mx,
  'half.example': { MX: [...mx.MX, [20, 'mx2.example.net']] },
  'mx.example.net': { A: ['192.0.2.1'] },
};

const message: MessageRow = {
  queueId: '0123456789ABCD',
  acceptedAt: 0,
  reversePath: 'a@example.com',
  prefix: Buffer.alloc(0),
  content: { kind: 'inline', bytes: Buffer.alloc(0) },
  sizeBytes: 0,
  eightBit: false,
  smtputf8: false,
  failuresTo: 'sender',
};

const jobsTo = (...domains: string[]): JobRow[] =>
  domains.map((destination, number) => ({
    queueId: message.queueId,
    number,
    recipient: `x@${destination}`,
    kind: 'remote',
    destination,
    attempts: 0,
    queuedAt: 0,
    nextAttemptAt: 0,
    expiresAt: 1,
  }));

/** Two of the domains have a policy. */
const policies: Record<string, string> = {
  'strict.example': 'mx.example.net',
  'closed.example': 'elsewhere.example',
};

async function legs(...domains: string[]) {
  const resolver = scriptedResolver(dns, { failures: { 'mx2.example.net': 'servfail' } });
  const sts = {
    isKnownAbsent: () => false,
    find: async (domain: string) => {
      const named = policies[domain];
      if (named === undefined) return {};
      const policy = { domain, id: '1', mode: 'enforce', mx: [named], maxAge: 1, fetchedAt: 0 } as const;
      return { policy };
    },
  };
  const route = {
    hostname: 'mx.example.com',
    isOurs: () => false,
    port: 25,
    allowPrivateAddresses: false,
    random: () => 0.5,
    clock: systemClock,
  };
  const tls = { resolver, clock: systemClock, sts: sts as unknown as StsPolicies }; // what is used of them
  const found = await findLegs(
    { resolver, route, tls },
    message,
    jobsTo(...domains),
    new AbortController().signal,
  );
  return found.map(({ jobs, way }) => ({
    domains: jobs.map(({ destination }) => destination),
    way:
      'kind' in way || way.trouble
        ? 'nowhere'
        : (way.policies.get('mx.example.net')?.kind ?? 'opportunistic'),
  }));
}

test('P9: domains at the same hosts share a dialogue where their policies ask for the same', async () => {
  expect(await legs('a.example', 'strict.example', 'b.example', 'closed.example')).toEqual([
    { domains: ['a.example', 'b.example'], way: 'opportunistic' },
    { domains: ['strict.example'], way: 'sts' },
    { domains: ['closed.example'], way: 'nowhere' },
  ]);
});

test('a domain of which not all hosts are known has a dialogue of its own', async () => {
  expect((await legs('a.example', 'half.example', 'b.example')).map(({ domains }) => domains)).toEqual([
    ['a.example', 'b.example'],
    ['half.example'],
  ]);
});

test('a domain that leads nowhere does not keep the others', async () => {
  expect(await legs('gone.example', 'a.example')).toEqual([
    { domains: ['gone.example'], way: 'nowhere' },
    { domains: ['a.example'], way: 'opportunistic' },
  ]);
});
