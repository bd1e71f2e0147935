import { describe, expect, it } from 'vitest';
import type { ZoneData } from '../../dns/zone-data.ts';
import { ConversationError } from '../../smtp/conversation.ts';
import type { MessageRequests } from '../../store/message.ts';
import { type Script, scriptedResolver } from '../../testing/scripted-resolver.ts';
import { sampleJob, sampleMessage } from '../../testing/store.ts';
import { systemClock } from '../../util/clock.ts';
import { ConnectionPool } from '../connections/pool.ts';
import { deliverRemotely } from '../deliver.ts';
import type { StsPolicies } from '../tls/sts-policies.ts';
import type { RouteOptions } from './route.ts';

const dns: ZoneData = {
  'example.net': { MX: [[10, 'mx.example.net']], A: ['192.0.2.80'] },
  'mx.example.net': { A: ['192.0.2.1'] },
  'example.org': { MX: [[10, 'mx.example.net']], A: ['192.0.2.81'] },
};

interface Setting {
  zone?: ZoneData;
  script?: Script;
  sts?: 'enforce' | 'testing';
  requests?: MessageRequests;
  domains?: string[];
  options?: Partial<RouteOptions>;
}

/** Where mail is tried to be sent in a world in which nobody can be connected to. */
async function tried({
  zone = dns,
  script = {},
  sts,
  requests,
  domains = ['example.net'],
  options,
}: Setting) {
  const dialled: string[] = [];
  const pool = new ConnectionPool({
    dial: async ({ address, port, implicitTls }) => {
      dialled.push(`${address}:${port}${implicitTls ? ' TLS' : ''}`);
      throw new ConversationError('connect', 'connection refused');
    },
    clock: systemClock,
    ehloName: 'mx.example.com',
  });
  const policies = {
    isKnownAbsent: () => sts === undefined,
    find: async (domain: string) =>
      sts && { policy: { domain, id: '1', mode: sts, mx: ['mx.example.net'], maxAge: 86_400, fetchedAt: 0 } },
  };
  const resolver = scriptedResolver(zone, script);
  const parts = {
    resolver,
    route: {
      hostname: 'mx.example.com',
      isOurs: ({ address, port }: { address: string; port: number }) =>
        address === '192.0.2.1' && port === 587,
      port: 25,
      allowPrivateAddresses: false,
      fallback: { submissions: 465, submission: 587 },
      random: () => 0.5,
      clock: systemClock,
      ...options,
    },
    send: { pool },
    // All that findTlsPlan() uses of them.
    tls: { resolver, clock: systemClock, sts: policies as unknown as StsPolicies },
  };
  const { message } = sampleMessage('Q');
  const jobs = domains.map((destination, number) =>
    sampleJob('Q', { number, destination, recipient: `ann@${destination}` }),
  );
  const { outcomes, events } = await deliverRemotely(
    parts,
    { ...message, ...(requests && { requests }) },
    jobs,
    new AbortController().signal,
  );
  expect(outcomes.map(({ kind }) => kind)).toEqual(domains.map(() => 'deferred'));
  return { dialled, rules: events.flatMap((event) => (event.event === 'routed' ? [event.data.rule] : [])) };
}

const onlyTheRoute = ['192.0.2.1:25'];

describe('the fallback', () => {
  it('M2: goes up the whole ladder, but not to ourselves, and the dossier says why', async () => {
    const { dialled, rules } = await tried({});
    expect(dialled).toEqual([
      '192.0.2.1:25',
      '192.0.2.80:25',
      '192.0.2.1:465 TLS',
      '192.0.2.80:465 TLS',
      '192.0.2.80:587',
    ]);
    expect(rules).toEqual([undefined, 'no host of the route could be connected to, and fallback = true']);
  });

  it('M2: is not gone up where it is not configured', async () => {
    expect((await tried({ options: { fallback: undefined } })).dialled).toEqual(onlyTheRoute);
  });

  const proven = { ...dns, '_25._tcp.mx.example.net': { TLSA: [[3, 1, 1, 'ab'.repeat(32)]] } } as const;

  it.each<[string, Setting]>([
    ['under DANE', { zone: proven, script: { authentic: true } }],
    ['under an enforced MTA-STS policy', { sts: 'enforce' }],
    ['for a message that requires TLS', { script: { authentic: true }, requests: { requireTls: true } }],
  ])('M2: is never gone up %s', async (_, setting) => {
    expect((await tried(setting)).dialled).toEqual(onlyTheRoute);
  });

  it('M2: is gone up under a policy that is only tested, and where DNSSEC proves no TLSA', async () => {
    expect((await tried({ sts: 'testing' })).dialled.length).toBeGreaterThan(1);
    expect((await tried({ script: { authentic: true } })).dialled.length).toBeGreaterThan(1);
  });

  it("M2: never tries one domain's address for another that has the same MX", async () => {
    const { dialled } = await tried({ domains: ['example.net', 'example.org'] });
    const second = dialled.lastIndexOf('192.0.2.1:25');
    expect(dialled.slice(0, second)).toContain('192.0.2.80:25');
    expect(dialled.slice(second)).toContain('192.0.2.81:25');
    expect(dialled.slice(second)).not.toContain('192.0.2.80:25');
  });

  it('takes the domain itself where no MX has an address, unless an enforced policy does not name it', async () => {
    const zone = { ...dns, 'example.net': { MX: [[10, 'gone.example.net']], A: ['192.0.2.80'] } } as const;
    expect((await tried({ zone })).dialled[0]).toBe('192.0.2.80:25');
    expect((await tried({ zone, sts: 'enforce' })).dialled).toEqual([]);
  });
});
