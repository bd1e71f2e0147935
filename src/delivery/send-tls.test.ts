import { createHash, X509Certificate } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { MessageRequests } from '../store/message.ts';
import { type Certificate, testAuthority } from '../testing/certificates.ts';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { scriptedSites } from '../testing/scripted-site.ts';
import { brief, bye, content, job, message } from '../testing/send-stage.ts';
import type { TlsResult } from '../tls-rpt/result.ts';
import { send } from './send.ts';
import { BrokenTls, defaultBrokenTlsLimits } from './tls/broken-tls.ts';
import type { HostPolicy } from './tls/tls-policy.ts';

const authority = testAuthority();
const certificate = authority.issue(['mx0.example.net', 'mx1.example.net']);
const recipient = 'b@example.net';

const offer = 'S: 220 mx\nC: EHLO …\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS';
const secured = (extension = 'HELP') =>
  `${offer}\nS: 220 go\n== TLS\nC: EHLO …\nS: 250-mx\nS: 250 ${extension}`;
const clear = 'S: 220 mx\nC: EHLO …\nS: 250 mx';
const taken = (parameters = '') =>
  `C: MAIL FROM:<a@example.com>${parameters}\nS: 250 ok\nC: RCPT …\nS: 250 ok\nC: DATA\nS: 354 go\nC: (message)\nS: 250 taken`;
const hangsUpInTls = `${offer}\nS: 220 go\n== hang up`;
const refusesTls = `${offer}\nS: 454 4.7.0 no TLS now\n${bye}`;
/** Offers TLS, and is asked for none. */
const unused = `S: 220 mx\nC: EHLO …\nS: 250-mx\nS: 250 STARTTLS\n${taken()}`;

let clock: FakeClock;
let broken: BrokenTls;
let results: TlsResult[];
const open = scriptedSites();
beforeEach(() => {
  clock = fakeClock(Date.UTC(2026, 0, 1));
  broken = new BrokenTls(clock);
  results = [];
});

interface Setting {
  /** By host, the scripts of its connections. */
  hosts: readonly (readonly string[])[];
  policies?: Record<string, HostPolicy>;
  requests?: MessageRequests;
  certificate?: Certificate;
  isIncomplete?: true;
  /** The attempt is stopped after the first handshake. */
  stop?: AbortController;
}

async function site({
  hosts,
  policies = {},
  requests,
  certificate: shown = certificate,
  stop,
  ...more
}: Setting) {
  const { pool, route } = await open({ hosts, certificate: shown, authorities: [authority.cert] });
  const onTlsResult = (result: TlsResult) => {
    results.push(result);
    stop?.abort();
  };
  const tls = { broken, now: clock.now, onTlsResult };
  return async (asked = requests) => {
    const policyMap = new Map(Object.entries(policies));
    const signal = stop && { signal: stop.signal };
    const wanted = {
      route,
      policies: policyMap,
      message: { ...message, ...(asked && { requests: asked }) },
      content: () => [content],
      jobs: [job(recipient, 0)],
      ...signal,
      ...more,
    };
    const { outcomes, events } = await send({ pool, tls }, wanted);
    const attempts = events.flatMap((event) => (event.event === 'attempted' ? [event.data] : []));
    return { outcome: brief(outcomes.get(0)), whole: outcomes.get(0), attempts };
  };
}

function daneFor({ cert }: Certificate): HostPolicy {
  const key = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' });
  const data = createHash('sha256').update(key).digest();
  return {
    kind: 'dane',
    base: 'mx0.example.net',
    names: ['mx0.example.net'],
    records: [{ usage: 3, selector: 1, matchingType: 1, data }],
  };
}

const sts = (kind: 'sts' | 'sts-testing'): HostPolicy => ({
  kind,
  policy: {
    domain: 'example.net',
    id: '7',
    mode: kind === 'sts' ? 'enforce' : 'testing',
    mx: ['mx0.example.net'],
    maxAge: 86_400,
    fetchedAt: 0,
  },
});

describe('send() under a policy', () => {
  it('P9: delivers where the certificate is the one that DNS names, and says so', async () => {
    const attempt = await site({
      hosts: [[`${secured()}\n${taken()}`]],
      policies: { 'mx0.example.net': daneFor(certificate) },
    });
    const { outcome, attempts } = await attempt();
    expect(outcome).toBe('delivered at mx0.example.net');
    expect(attempts).toMatchObject([{ policy: { kind: 'dane' } }]);
    expect(attempts[0]?.policy).not.toHaveProperty('fault');
    expect(results).toMatchObject([
      { domain: 'example.net', policy: { type: 'tlsa' }, receiver: { host: 'mx0.example.net' } },
    ]);
    expect(results[0]).not.toHaveProperty('failure');
  });

  it('P9: passes by a host whose certificate is another, and delivers at the next', async () => {
    const attempt = await site({
      hosts: [[`${offer}\nS: 220 go\n== TLS\n${bye}`], [`${secured()}\n${taken()}`]],
      policies: { 'mx0.example.net': daneFor(authority.issue(['mx0.example.net'])) },
    });
    const { outcome, attempts } = await attempt();
    expect(outcome).toBe('delivered at mx1.example.net');
    expect(attempts[0]).toMatchObject({
      policy: { fault: expect.stringContaining('no TLSA record matches') },
      tls: { version: 'TLSv1.3' },
      error: expect.stringContaining('no TLSA record matches'),
    });
  });

  it.each<[string, string, HostPolicy, string]>([
    ['DANE, and STARTTLS is not offered', `${clear}\n${bye}`, daneFor(certificate), 'starttls-not-supported'],
    ['DANE, and STARTTLS is refused', refusesTls, daneFor(certificate), 'starttls-not-supported'],
    ['DANE, and the handshake breaks', hangsUpInTls, daneFor(certificate), 'validation-failure'],
    ['MTA-STS, and STARTTLS is not offered', `${clear}\n${bye}`, sts('sts'), 'starttls-not-supported'],
  ])('P9: defers under %s, and never goes in clear text', async (_, script, policy, type) => {
    const attempt = await site({
      hosts: [[script, script, script]],
      policies: { 'mx0.example.net': policy },
    });
    for (let round = 0; round < 3; round++) {
      expect((await attempt()).outcome).toMatch(/^deferred 4\.7\.[05]$/);
      clock.advance(defaultBrokenTlsLimits.patienceMs);
    }
    expect(results.map(({ failure }) => failure?.type)).toEqual([type, type, type]);
  });

  it('P9: MTA-STS wants a certificate for the host', async () => {
    const script = `${offer}\nS: 220 go\n== TLS\n${bye}`;
    const policies = { 'mx0.example.net': sts('sts') };
    const foreign = await site({
      hosts: [[script]],
      policies,
      certificate: authority.issue(['mx.other.example']),
    });
    expect((await foreign()).outcome).toBe('deferred 4.7.5');
    const unknown = await site({
      hosts: [[script]],
      policies,
      certificate: testAuthority().issue(['mx0.example.net']),
    });
    expect((await unknown()).outcome).toBe('deferred 4.7.5');
    expect(results.map(({ failure }) => failure?.type)).toEqual([
      'certificate-host-mismatch',
      'certificate-not-trusted',
    ]);
  });

  it('P9: what a policy under test finds is told, and mail goes on', async () => {
    const attempt = await site({
      hosts: [[`${secured()}\n${taken()}`]],
      policies: { 'mx0.example.net': sts('sts-testing') },
      certificate: authority.issue(['mx.other.example']),
    });
    const { outcome, attempts } = await attempt();
    expect(outcome).toBe('delivered at mx0.example.net');
    expect(attempts).toMatchObject([
      { policy: { kind: 'sts-testing', fault: expect.stringContaining('not for') } },
    ]);
    expect(results).toMatchObject([
      { policy: { type: 'sts' }, failure: { type: 'certificate-host-mismatch' } },
    ]);
  });

  it('tells of a session once, however many messages it carries', async () => {
    const attempt = await site({ hosts: [[`${secured()}\n${taken()}\n${taken()}\n${bye}`]] });
    await attempt();
    await attempt();
    expect(results).toMatchObject([{ policy: { type: 'no-policy-found' } }]);
  });
});

describe('send() where STARTTLS is offered and broken', () => {
  it.each([
    ['breaks off', hangsUpInTls],
    ['is refused', refusesTls],
  ])('P9: the handshake that %s: others first, clear text only after five minutes', async (_, script) => {
    const attempt = await site({ hosts: [[script, script, script, unused]] });
    expect((await attempt()).outcome).toMatch(/^deferred/);
    clock.advance(defaultBrokenTlsLimits.patienceMs - 1);
    expect((await attempt()).outcome).toMatch(/^deferred/);
    clock.advance(1);
    const { outcome, attempts } = await attempt();
    expect(outcome).toBe('delivered at mx0.example.net');
    expect(attempts).toMatchObject([{ error: expect.any(String) }, { tlsBrokenSince: Date.UTC(2026, 0, 1) }]);
    expect(attempts[0]).not.toHaveProperty('tlsBrokenSince');
  });

  it('P9: another host with good TLS comes before clear text at the first', async () => {
    const attempt = await site({
      hosts: [[hangsUpInTls, hangsUpInTls], [`${secured()}\n${taken()}\n${taken()}\n${bye}`]],
    });
    expect((await attempt()).outcome).toBe('delivered at mx1.example.net');
    clock.advance(defaultBrokenTlsLimits.patienceMs);
    expect((await attempt()).outcome).toBe('delivered at mx1.example.net');
  });

  it('P9: a handshake that works ends the waiting', async () => {
    const attempt = await site({ hosts: [[hangsUpInTls, `${secured()}\n${bye}`, hangsUpInTls]] });
    await attempt();
    clock.advance(defaultBrokenTlsLimits.patienceMs);
    await attempt();
    expect((await attempt()).outcome).toMatch(/^deferred/);
  });
});

describe('send() of a message with REQUIRETLS', () => {
  const requests = { requireTls: true } as const;
  const policies: Record<string, HostPolicy> = {
    'mx0.example.net': { kind: 'verified' },
    'mx1.example.net': { kind: 'verified' },
  };

  it('P9: says so to a verified host that offers it (RFC 8689 §4.2.1)', async () => {
    const script = `${secured('REQUIRETLS')}\n${taken(' REQUIRETLS')}`;
    const attempt = await site({ hosts: [[script]], policies, requests });
    expect((await attempt()).outcome).toBe('delivered at mx0.example.net');
  });

  it('P9: goes to the next host where the first does not offer it', async () => {
    const script = `${secured('REQUIRETLS')}\n${taken(' REQUIRETLS')}`;
    const attempt = await site({ hosts: [[`${secured()}\n${bye}`], [script]], policies, requests });
    expect((await attempt()).outcome).toBe('delivered at mx1.example.net');
  });

  it('P9: fails with 5.7.30 where no host offers it, and with 5.7.10 where none has good TLS', async () => {
    const lacking = await site({ hosts: [[`${secured()}\n${bye}`]], policies, requests });
    expect((await lacking()).outcome).toBe('failed 5.7.30');
    const without = await site({ hosts: [[`${clear}\n${bye}`]], policies, requests });
    expect((await without()).outcome).toBe('failed 5.7.10');
    const stranger = await site({
      hosts: [[`${offer}\nS: 220 go\n== TLS\n${bye}`]],
      policies,
      requests,
      certificate: testAuthority().issue(['mx0.example.net']),
    });
    expect((await stranger()).outcome).toBe('failed 5.7.10');
  });

  it('P9: waits where a host that may offer it could not be asked', async () => {
    const attempt = await site({
      hosts: [['S: 421 4.3.2 busy\nC: QUIT\nS: 221 bye'], [`${secured()}\n${bye}`]],
      policies,
      requests,
    });
    expect((await attempt()).outcome).toBe('deferred 4.7.30');
  });

  it('P9: waits where there are more hosts, which cannot be used now', async () => {
    const attempt = await site({ hosts: [[`${secured()}\n${bye}`]], policies, requests, isIncomplete: true });
    expect((await attempt()).outcome).toBe('deferred 4.7.30');
  });

  it('P9: waits for the host that offers it, where the dialogue there breaks off', async () => {
    const able = `${secured('REQUIRETLS')}\nC: MAIL …\n== hang up`;
    const attempt = await site({ hosts: [[`${secured()}\n${bye}`], [able]], policies, requests });
    expect((await attempt()).outcome).toBe('deferred 4.4.2');
  });

  it('P9: waits where we stop before all hosts have said that they do not offer it', async () => {
    const stop = new AbortController();
    const attempt = await site({ hosts: [[`${secured()}\n${bye}`], []], policies, requests, stop });
    expect((await attempt()).outcome).toBe('deferred 4.7.30');
  });

  it('P9: a connection that stands serves it only where it offers it, and others all the same', async () => {
    const verified = { 'mx0.example.net': { kind: 'verified' } } as const;
    const script = `${secured()}\n${taken()}\n${taken()}\n${bye}`;
    const attempt = await site({ hosts: [[script]], policies: verified });
    expect((await attempt()).outcome).toBe('delivered at mx0.example.net');
    expect((await attempt(requests)).outcome).toBe('failed 5.7.30');
    const again = await attempt();
    expect([again.outcome, again.attempts[0]?.reused]).toEqual(['delivered at mx0.example.net', true]);
  });
});

describe('send() of a message with TLS-Required: No', () => {
  it('tells no report of it: it has no policy (RFC 8689 §3)', async () => {
    const attempt = await site({ hosts: [[`${clear}\n${taken()}`]], requests: { tlsOptional: true } });
    expect((await attempt()).outcome).toBe('delivered at mx0.example.net');
    expect(results).toEqual([]);
  });
});
