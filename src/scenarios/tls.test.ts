import { createHash, X509Certificate } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { NameRecords } from '../dns/zone-data.ts';
import type { DossierEvent } from '../dossier/event.ts';
import { type Certificate, type TestAuthority, testAuthority } from '../testing/certificates.ts';
import { eventually } from '../testing/eventually.ts';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { freePort } from '../testing/free-ports.ts';
import { type HttpsHost, startHttpsHost } from '../testing/https-host.ts';
import type { Letter } from '../testing/letter.ts';
import { type Receiver, type ReceiverOptions, startReceiver } from '../testing/receiver.ts';
import { startWorld, type World } from '../testing/world.ts';

const sender = 'sender@example.com';
const [first, second, third] = ['127.0.0.51', '127.0.0.52', '127.0.0.53'];
const minute = 60_000;

let world: World<'example.com'>;
let clock: FakeClock;
let port: number;
let web: HttpsHost;
/** Of receivers that no authority knows. */
const strangers: TestAuthority = testAuthority('Strangers');
const receivers: Receiver[] = [];

beforeAll(async () => {
  clock = fakeClock(Date.now());
  port = await freePort([first, second, third]);
  const httpsPort = await freePort(['127.0.0.1']);
  const delivery = { port, httpsPort };
  world = await startWorld({
    servers: { 'example.com': { accounts: { [sender]: 'secret' }, settings: { delivery } } },
    dns: {
      'mx1.example.net': { A: [first] },
      'mx2.example.net': { A: [second] },
      'mx3.example.net': { A: [third] },
    },
    clock,
  });
  const policyHosts = Array.from({ length: 20 }, (_, index) => `mta-sts.s${index + 1}.example`);
  web = await startHttpsHost(world.authority.issue(policyHosts), httpsPort);
});
afterAll(async () => {
  await web[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});
afterEach(async () => {
  world.dns.sign();
  world.dns.break();
  await Promise.all(receivers.splice(0).map((each) => each[Symbol.asyncDispose]()));
});

async function receiver(options: Omit<ReceiverOptions, 'port'>): Promise<Receiver> {
  const started = await startReceiver({ port, ...options });
  receivers.push(started);
  return started;
}

/** How many messages for the domain it has taken; letters of other tests may come late. */
const countFor = (domain: string, { taken }: Receiver): number =>
  taken.filter(({ recipients }) => recipients.some((each) => each.endsWith(`@${domain}`))).length;

let domains = 0;

/** A domain of its own for each test, whose MX are those of example.net. */
function newDomain(hosts: readonly string[] = ['mx1.example.net']): string {
  const name = `d${++domains}.example`;
  const MX = hosts.map((host, index) => [10 * (index + 1), host] as const);
  world.dns.change({ [name]: { MX } });
  return name;
}

const server = () => world.servers['example.com'];

async function send(domain: string, more: Partial<Letter> = {}) {
  const { queueId = '' } = await server().submit({ from: sender, to: `ann@${domain}`, ...more });
  return { ...(await outcome(queueId)), arrived: receivers.map((each) => countFor(domain, each)) };
}

async function outcome(queueId: string) {
  const [summary] = await server().settled(queueId);
  const events = await server().trace(queueId);
  const decided = summary?.decidedBy?.data;
  return {
    queueId,
    state: summary?.state,
    status: decided && 'status' in decided ? decided.status : undefined,
    rule: decided && 'rule' in decided ? decided.rule : undefined,
    attempts: events.flatMap((event) => (event.event === 'attempted' ? [event.data] : [])),
    notes: events.flatMap((event) => (event.event === 'routed' ? (event.data.tls ?? []) : [])).join('\n'),
  };
}

function tlsaOf({ cert }: Certificate): NameRecords {
  const key = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' });
  return { TLSA: [[3, 1, 1, createHash('sha256').update(key).digest('hex')]] };
}

const tlsaName = (host: string) => `_${port}._tcp.${host}`;

describe('DANE', () => {
  /** A domain and its MX in signed zones, with the TLSA record of this certificate. */
  function signedDomain(named: Certificate | undefined, hosts = ['mx1.example.net']): string {
    const records = named === undefined ? {} : { [tlsaName('mx1.example.net')]: tlsaOf(named) };
    world.dns.change({ [tlsaName('mx1.example.net')]: {}, ...records });
    const domain = newDomain(hosts);
    world.dns.sign(domain, 'example.net');
    return domain;
  }

  test('P9: right: delivered to a host that no authority vouches for, since DNS does', async () => {
    const certificate = strangers.issue(['mx1.example.net']);
    await receiver({ address: first, certificate });
    const { state, arrived, attempts, notes } = await send(signedDomain(certificate));
    expect([state, arrived]).toEqual(['delivered', [1]]);
    expect(attempts).toMatchObject([
      { policy: { kind: 'dane', evidence: expect.stringContaining('3 1 1') } },
    ]);
    expect(attempts[0]?.policy?.fault).toBeUndefined();
    expect(notes).toContain('mx1.example.net: DANE');
  });

  test('P9: wrong: another certificate, though an authority vouches for it; the next host is asked, then later', async () => {
    await receiver({ address: first, certificate: world.authority.issue(['mx1.example.net']) });
    const other = strangers.issue(['mx1.example.net']);
    const alone = await send(signedDomain(other));
    expect(alone).toMatchObject({ state: 'deferred', status: '4.7.5' });
    expect(alone.attempts[0]?.policy?.fault).toContain('no TLSA record matches');

    await receiver({ address: second, certificate: world.authority.issue(['mx2.example.net']) });
    const both = await send(signedDomain(other, ['mx1.example.net', 'mx2.example.net']));
    expect([both.state, both.arrived]).toEqual(['delivered', [0, 1]]);
  });

  test('P9: a host with a record and without TLS gets nothing', async () => {
    await receiver({ address: first });
    const { state, status, arrived } = await send(signedDomain(strangers.issue(['mx1.example.net'])));
    expect([state, status, arrived]).toEqual(['deferred', '4.7.5', [0]]);
  });

  test('P9: a TLSA look-up that fails or is bogus passes the host over, and never means "no DANE"', async () => {
    const certificate = strangers.issue(['mx1.example.net']);
    await receiver({ address: first, certificate });
    const domain = signedDomain(certificate);
    world.dns.break(tlsaName('mx1.example.net'));
    const { state, status, notes, attempts } = await send(domain);
    expect([state, status, attempts]).toEqual(['deferred', '4.7.5', []]);
    expect(notes).toContain('mx1.example.net is passed over');
  });

  test('P9: what is not signed is no DANE: a wrong record in an unsigned zone stops nothing', async () => {
    await receiver({ address: first, certificate: strangers.issue(['mx1.example.net']) });
    const domain = signedDomain(strangers.issue(['mx1.example.net']));
    world.dns.sign(domain);
    const { state, attempts } = await send(domain);
    expect([state, attempts[0]?.policy]).toEqual(['delivered', undefined]);
  });
});

describe('MTA-STS', () => {
  let ids = 0;

  interface Served {
    mode?: string;
    mx?: string;
    maxAge?: number;
  }

  /** What the web server answers for the policy from now on. */
  function serve({ mode = 'enforce', mx = 'mx1.example.net', maxAge = 86_400 }: Served = {}): void {
    web.answer = (response) =>
      void response
        .writeHead(200, { 'content-type': 'text/plain' })
        .end(`version: STSv1\nmode: ${mode}\nmx: ${mx}\nmax_age: ${maxAge}\n`);
  }

  /** A domain that announces a policy, of a name that the web server has a certificate for. */
  function announced(hosts?: readonly string[]): string {
    const label = `s${++ids}`;
    const domain = `${label}.example`;
    const MX = (hosts ?? ['mx1.example.net']).map((host, index) => [10 * (index + 1), host] as const);
    world.dns.change({
      [domain]: { MX },
      [`_mta-sts.${domain}`]: { TXT: [`v=STSv1; id=${ids};`] },
      [`mta-sts.${domain}`]: { A: ['127.0.0.1'] },
    });
    return domain;
  }

  test('P9: enforced and right: delivered', async () => {
    serve();
    await receiver({ address: first, certificate: world.authority.issue(['mx1.example.net']) });
    const { state, arrived, attempts, notes } = await send(announced());
    expect([state, arrived]).toEqual(['delivered', [1]]);
    expect(attempts).toMatchObject([{ policy: { kind: 'sts' }, tls: { certificate: 'verified' } }]);
    expect(notes).toMatch(/MTA-STS of s\d+\.example: enforce, policy \d+, fetched/);
  });

  test.each<[string, () => Certificate | undefined]>([
    ['a certificate for another name', () => world.authority.issue(['mx.other.example'])],
    ['a certificate that no authority knows', () => strangers.issue(['mx1.example.net'])],
    ['no TLS', () => undefined],
  ])('P9: enforced, and the host has %s: nothing is handed over', async (_, certificateOf) => {
    serve();
    const certificate = certificateOf();
    await receiver({ address: first, ...(certificate && { certificate }) });
    const { state, status, arrived, attempts } = await send(announced());
    expect([state, status, arrived]).toEqual(['deferred', '4.7.5', [0]]);
    expect(attempts[0]?.policy?.fault).toEqual(expect.any(String));
  });

  test('P9: a host that the policy does not name is passed over, and the next is taken', async () => {
    serve({ mx: 'mx2.example.net' });
    await receiver({ address: first, certificate: world.authority.issue(['mx1.example.net']) });
    await receiver({ address: second, certificate: world.authority.issue(['mx2.example.net']) });
    const { state, arrived, attempts, notes } = await send(announced(['mx1.example.net', 'mx2.example.net']));
    expect([state, arrived, attempts.length]).toEqual(['delivered', [0, 1], 1]);
    expect(notes).toContain('mx1.example.net is passed over');
  });

  test('P9: tested: delivered, and the dossier says what would have failed', async () => {
    serve({ mode: 'testing', mx: 'elsewhere.example' });
    await receiver({ address: first, certificate: strangers.issue(['mx1.example.net']) });
    const { state, attempts } = await send(announced());
    expect(state).toBe('delivered');
    expect(attempts[0]?.policy).toMatchObject({
      kind: 'sts-testing',
      fault: expect.stringContaining('authority'),
    });
  });

  test('P9: a policy that was had stays in force without DNS and web, until it has expired', async () => {
    serve({ maxAge: 7200 });
    await receiver({ address: first, certificate: strangers.issue(['mx1.example.net']) });
    const domain = announced();
    expect((await send(domain)).state).toBe('deferred');
    world.dns.change({ [`_mta-sts.${domain}`]: {} });
    web.answer = (response) => void response.writeHead(404).end();
    await server().restart(); // it outlives that, too
    expect((await send(domain)).state).toBe('deferred');
    clock.advance(7200_000);
    expect((await send(domain)).state).toBe('delivered');
  });

  test('P9: where the policy cannot be had, and never was, mail goes on as it would without', async () => {
    web.answer = (response) => void response.writeHead(301, { location: 'https://elsewhere.example/' }).end();
    await receiver({ address: first });
    const { state, notes } = await send(announced());
    expect(state).toBe('delivered');
    expect(notes).toMatch(/announced .* no policy can be had; the last fetch failed: .*answers 301/);
  });

  test('P9: two domains at one host, one with a policy: the other is not held up', async () => {
    serve();
    const host = await receiver({ address: first, certificate: strangers.issue(['mx1.example.net']) });
    const [strict, plain] = [announced(), newDomain()];
    const { queueId = '' } = await server().submit({ from: sender, to: [`a@${strict}`, `b@${plain}`] });
    const states = (await server().settled(queueId)).map(({ recipient, state }) => [recipient, state]);
    expect(Object.fromEntries(states)).toEqual({ [`a@${strict}`]: 'deferred', [`b@${plain}`]: 'delivered' });
    expect([countFor(strict, host), countFor(plain, host)]).toEqual([0, 1]);
  });
});

describe('REQUIRETLS (RFC 8689)', () => {
  const requests = { requireTls: true } as const;

  test('P9: goes on, marked, to a host that is verified and offers it', async () => {
    const certificate = world.authority.issue(['mx1.example.net']);
    const { taken } = await receiver({ address: first, certificate });
    const domain = newDomain();
    world.dns.sign(domain);
    const { state, attempts } = await send(domain, { requests });
    expect(state).toBe('delivered');
    const own = taken.find(({ recipients }) => recipients.includes(`ann@${domain}`));
    expect(own?.parameters).toHaveProperty('REQUIRETLS');
    expect(attempts).toMatchObject([{ policy: { kind: 'verified' } }]);
  });

  test('P9: and otherwise comes back at once: no verified TLS is 5.7.10', async () => {
    await receiver({ address: first, certificate: strangers.issue(['mx1.example.net']) });
    const domain = newDomain();
    world.dns.sign(domain);
    const { state, status, arrived, attempts } = await send(domain, { requests });
    expect([state, status, arrived, attempts.length]).toEqual(['failed', '5.7.10', [0], 1]);
  });

  test('P9: nor does it go to a host that only an unsigned MX record names, whatever its certificate', async () => {
    await receiver({ address: first, certificate: world.authority.issue(['mx1.example.net']) });
    const { state, status, attempts, notes } = await send(newDomain(), { requests });
    expect([state, status, attempts]).toEqual(['failed', '5.7.10', []]);
    expect(notes).toContain('neither DNSSEC nor MTA-STS proves that mx1.example.net is a host of');
  });

  test('P9: TLS-Required: No goes where the policy would forbid it', async () => {
    await receiver({ address: first });
    world.dns.change({ [tlsaName('mx1.example.net')]: tlsaOf(strangers.issue(['mx1.example.net'])) });
    const domain = newDomain();
    world.dns.sign(domain, 'example.net');
    const content = `From: ${sender}\r\nTo: ann@${domain}\r\nTLS-Required: No\r\nSubject: x\r\n\r\nhi\r\n`;
    const { state, arrived, notes } = await send(domain, { content });
    expect([state, arrived]).toEqual(['delivered', [1]]);
    expect(notes).toContain('TLS-Required: No');
    world.dns.change({ [tlsaName('mx1.example.net')]: {} });
  });
});

// Last, since time passes here: what earlier tests left in the queue is tried again.
describe('STARTTLS that is advertised and broken', () => {
  test('P9: another host comes first', async () => {
    const certificate = world.authority.issue(['mx1.example.net', 'mx2.example.net']);
    await receiver({ address: first, certificate, failsTls: true });
    await receiver({ address: second, certificate });
    const { state, arrived } = await send(newDomain(['mx1.example.net', 'mx2.example.net']));
    expect([state, arrived]).toEqual(['delivered', [0, 1]]);
  });

  test('P9: alone: clear text only after five minutes, and the dossier says why', async () => {
    const certificate = world.authority.issue(['mx3.example.net']);
    const host = await receiver({ address: third, certificate, failsTls: true });
    const domain = newDomain(['mx3.example.net']); // a site that nothing else is sent to
    const early = await send(domain);
    expect([early.state, early.arrived]).toEqual(['deferred', [0]]);
    expect(early.rule).toMatch(
      /^the TLS handshake failed.*; in clear text from \d{4}-.*Z on, if TLS fails until then$/,
    );
    const lookLater = async () => {
      clock.advance(minute);
      return (await server().trace(early.queueId)).some(isDelivered) || undefined;
    };
    await eventually(lookLater, { explain: () => 'not delivered in clear text', timeoutMs: 10_000 });
    const { attempts } = await outcome(early.queueId);
    // Of each attempt in that time nothing came, and none was made in clear text.
    expect(attempts.slice(0, -1).every((each) => each.error !== undefined)).toBe(true);
    expect(countFor(domain, host)).toBe(1);
    expect(attempts.at(-1)).toMatchObject({ tlsBrokenSince: expect.any(Number) });
    expect(attempts.at(-1)).not.toHaveProperty('tls');
  });

  const isDelivered = ({ event }: DossierEvent) => event === 'delivered';
});
