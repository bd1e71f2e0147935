import { describe, expect, it } from 'vitest';
import type { ZoneData } from '../../dns/zone-data.ts';
import type { MessageRequests } from '../../store/message.ts';
import { type Script, scriptedResolver } from '../../testing/scripted-resolver.ts';
import type { TlsResult } from '../../tls-rpt/result.ts';
import { systemClock } from '../../util/clock.ts';
import type { Route } from '../route/route.ts';
import type { StsPolicyInForce } from './sts-memo.ts';
import type { StsFinding, StsPolicies } from './sts-policies.ts';
import { findTlsPlan } from './tls-policy.ts';

const digest = 'ab'.repeat(32);
const tlsa = { TLSA: [[3, 1, 1, digest]] } as const;

function policy(mode: 'enforce' | 'testing', ...mx: string[]): StsPolicyInForce {
  return { domain: 'example.net', id: '7', mode, mx, maxAge: 86_400, fetchedAt: 0 };
}

function routeTo(...hosts: [host: string, isProven: boolean][]): Route {
  return {
    kind: 'route',
    domain: 'example.net',
    answers: [],
    durationMs: 0,
    port: 25,
    hosts: hosts.map(([host, isProven], preference) => ({
      host,
      preference,
      addresses: [{ address: `192.0.2.${preference}`, family: 4 }],
      ...(isProven && { proven: { addresses: true } }),
    })),
  };
}

interface Setting {
  route: Route;
  dns?: ZoneData;
  script?: Script;
  sts?: StsPolicyInForce | 'unknown';
  requests?: MessageRequests;
}

async function plan({ route, dns = {}, script = { authentic: true }, sts, requests }: Setting) {
  const resolver = scriptedResolver(dns, script);
  const results: TlsResult[] = [];
  const asked: string[] = [];
  const policies = {
    isKnownAbsent: () => false,
    find: async (domain: string): Promise<StsFinding> => {
      asked.push(domain);
      if (sts === 'unknown') return { isUnknown: true };
      return sts === undefined ? {} : { policy: sts, note: 'found' };
    },
  };
  const parts = {
    resolver,
    clock: systemClock,
    sts: policies as unknown as StsPolicies, // what findTlsPlan() uses of them
    onTlsResult: (result: TlsResult) => results.push(result),
  };
  const found = await findTlsPlan(parts, route, { requests });
  const kinds = found.route.hosts.map(({ host }) => [
    host,
    found.policies.get(host)?.kind ?? 'opportunistic',
  ]);
  return { ...found, kinds: Object.fromEntries(kinds), results, asked, questions: resolver.questions };
}

const mx1 = 'mx1.example.net';
const mx2 = 'mx2.example.net';

describe('findTlsPlan()', () => {
  it('P9: DANE comes before MTA-STS, host by host (RFC 8461 §2)', async () => {
    const found = await plan({
      route: routeTo([mx1, true], [mx2, true]),
      dns: { [`_25._tcp.${mx1}`]: tlsa },
      sts: policy('enforce', mx2),
    });
    expect(found.kinds).toEqual({ [mx1]: 'dane', [mx2]: 'sts' });
    expect(found.policies.get(mx1)).toMatchObject({ base: mx1, names: [mx1, 'example.net'] });
    expect(found).toMatchObject({ forbidsGuesses: true, results: [] });
    expect(found.notes[0]).toBe(`${mx1}: DANE, by TLSA 3 1 1 ${digest.slice(0, 16)}… of ${mx1} (DNSSEC)`);
  });

  it('P9: no web is asked for a policy where DANE speaks for every host', async () => {
    const { asked, kinds } = await plan({
      route: routeTo([mx1, true]),
      dns: { [`_25._tcp.${mx1}`]: tlsa },
      sts: policy('enforce', 'elsewhere.example'),
    });
    expect([asked, kinds]).toEqual([[], { [mx1]: 'dane' }]);
  });

  it('P9: records of no use still make TLS mandatory (RFC 7672 §2.2)', async () => {
    const dns = { [`_25._tcp.${mx1}`]: { TLSA: [[0, 0, 1, digest]] } } as const;
    expect((await plan({ route: routeTo([mx1, true]), dns })).kinds).toEqual({ [mx1]: 'encrypted' });
  });

  it('P9: records of no use do not open a way round an enforced policy, and a tested one does not make less of them', async () => {
    const route = routeTo([mx1, true], [mx2, false]);
    const dns = { [`_25._tcp.${mx1}`]: { TLSA: [[0, 0, 1, digest]] } } as const;
    const enforced = await plan({ route, dns, sts: policy('enforce', mx1) });
    expect(enforced.kinds).toEqual({ [mx1]: 'sts' });
    const strange = await plan({ route, dns, sts: policy('enforce', mx2) });
    expect(strange.kinds).toEqual({ [mx2]: 'sts' });
    const tested = await plan({ route, dns, sts: policy('testing', mx1) });
    expect(tested.kinds).toEqual({ [mx1]: 'encrypted', [mx2]: 'sts-testing' });
  });

  it('P9: a host whose TLSA look-up fails is passed over, and the report says why', async () => {
    const found = await plan({
      route: routeTo([mx1, true], [mx2, false]),
      script: { authentic: true, failures: { [`_25._tcp.${mx1}`]: 'servfail' } },
    });
    expect(found.kinds).toEqual({ [mx2]: 'opportunistic' });
    expect(found.notes.join()).toContain(`${mx1} is passed over: the TLSA records`);
    expect(found.results).toMatchObject([
      { domain: 'example.net', policy: { type: 'tlsa', domain: mx1 }, failure: { type: 'dnssec-invalid' } },
    ]);
    expect(found.forbidsGuesses).toBe(true);
  });

  it('P9: and where it was the only one, mail waits: that is never "no DANE"', async () => {
    const found = await plan({
      route: routeTo([mx1, true]),
      script: { authentic: true, failures: { [`_25._tcp.${mx1}`]: 'timeout' } },
    });
    expect(found.trouble).toMatchObject({
      status: '4.7.5',
      rule: expect.stringContaining('RFC 7672 §2.1.2'),
    });
    expect(found.route.hosts).toEqual([]);
  });

  it('P9: an enforced policy passes over the hosts that it does not name', async () => {
    const some = await plan({ route: routeTo([mx1, false], [mx2, false]), sts: policy('enforce', mx2) });
    expect(some.kinds).toEqual({ [mx2]: 'sts' });
    expect(some.results).toMatchObject([
      { policy: { type: 'sts', mxHosts: [mx2] }, failure: { type: 'validation-failure' } },
    ]);
    const none = await plan({ route: routeTo([mx1, false]), sts: policy('enforce', '*.example.org') });
    expect(none.trouble).toMatchObject({ status: '4.7.5', reason: expect.stringContaining(mx1) });
  });

  it('P9: a policy that is tested forbids nothing', async () => {
    const found = await plan({ route: routeTo([mx1, false]), sts: policy('testing', mx2) });
    expect(found).toMatchObject({ kinds: { [mx1]: 'sts-testing' } });
    expect(found.forbidsGuesses).toBeUndefined();
  });

  it('is opportunistic without any of that, and at once where there is nothing to look for', async () => {
    expect((await plan({ route: routeTo([mx1, false]) })).kinds).toEqual({ [mx1]: 'opportunistic' });
    const parts = { resolver: scriptedResolver({}), clock: systemClock };
    const route = routeTo([mx1, false]);
    expect(findTlsPlan(parts, route, {})).toEqual({ route, policies: new Map(), notes: [] });
  });

  it('P9: REQUIRETLS wants a certificate verified where no policy does (RFC 8689 §4.2.1)', async () => {
    const requests = { requireTls: true } as const;
    const dns = { [`_25._tcp.${mx1}`]: tlsa };
    const dane = await plan({ route: routeTo([mx1, true], [mx2, true]), dns, requests });
    expect(dane.kinds).toEqual({ [mx1]: 'dane', [mx2]: 'verified' });
    const tested = await plan({ route: routeTo([mx1, false]), sts: policy('testing', mx1), requests });
    expect(tested.kinds).toEqual({ [mx1]: 'verified' });
    const enforced = await plan({ route: routeTo([mx1, false]), sts: policy('enforce', mx1), requests });
    expect(enforced.kinds).toEqual({ [mx1]: 'sts' });
  });

  it('P9: REQUIRETLS goes to no host that neither DNSSEC nor MTA-STS proves to be of the domain (RFC 8689 §4.2.1)', async () => {
    const requests = { requireTls: true } as const;
    const forged = await plan({ route: routeTo([mx1, false]), requests });
    expect(forged).toMatchObject({ kinds: {}, trouble: { kind: 'failed', status: '5.7.10' }, results: [] });
    const some = await plan({
      route: routeTo([mx1, false], [mx2, false]),
      sts: policy('testing', mx2),
      requests,
    });
    expect(some.kinds).toEqual({ [mx2]: 'verified' });
    const itself = await plan({ route: routeTo(['example.net', false]), requests });
    expect(itself.kinds).toEqual({ 'example.net': 'verified' });
  });

  it('P9: and waits where it could not be found out whether MTA-STS does', async () => {
    const found = await plan({
      route: routeTo([mx1, false]),
      sts: 'unknown',
      requests: { requireTls: true },
    });
    expect(found).toMatchObject({
      kinds: {},
      isIncomplete: true,
      trouble: { kind: 'deferred', status: '4.7.5' },
    });
  });

  it('P9: TLS-Required: No drops the policy, unless the envelope requires TLS (RFC 8689 §3)', async () => {
    const dns = { [`_25._tcp.${mx1}`]: tlsa };
    const route = routeTo([mx1, true]);
    const dropped = await plan({ route, dns, requests: { tlsOptional: true } });
    expect([dropped.kinds, dropped.questions]).toEqual([{ [mx1]: 'opportunistic' }, []]);
    const both = await plan({ route, dns, requests: { tlsOptional: true, requireTls: true } });
    expect(both.kinds).toEqual({ [mx1]: 'dane' });
  });
});
