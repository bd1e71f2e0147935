import { createHash, X509Certificate } from 'node:crypto';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ZoneData } from '../../dns/zone-data.ts';
import { ownListeners } from '../../net/addresses.ts';
import { socketDialler } from '../../net/conversation.ts';
import { reply } from '../../smtp/reply.ts';
import { testAuthority } from '../../testing/certificates.ts';
import { eventually } from '../../testing/eventually.ts';
import { fakeClock } from '../../testing/fake-clock.ts';
import { freePort } from '../../testing/free-ports.ts';
import { type Answers, type Receiver, startReceiver } from '../../testing/receiver.ts';
import { scriptedPeer } from '../../testing/scripted-peer.ts';
import { scriptedResolver } from '../../testing/scripted-resolver.ts';
import { systemClock } from '../../util/clock.ts';
import { ConnectionPool } from '../connections/pool.ts';
import { transportFinder } from '../transports/transport-choice.ts';
import { type CheckParts, calloutTimeouts, checkAddress, checkTimeoutMs } from './check-address.ts';

const address = '127.0.0.41';
const authority = testAuthority();
const zone: ZoneData = {
  'example.net': { MX: [[10, 'mx.example.net']] },
  'xn--bcher-kva.example': { MX: [[10, 'mx.example.net']] },
  'mx.example.net': { A: [address] },
  'null.example': { MX: [[0, '.']] },
  'two.example': {
    MX: [
      [10, 'dead.example'],
      [20, 'mx.example.net'],
    ],
  },
  'dead.example': { A: ['127.0.0.42'], MX: [[10, 'dead.example']] },
  'private.example': { MX: [[10, 'mx.private.example']] },
  'mx.private.example': { A: ['10.0.0.1'] },
};

let port: number;
beforeAll(async () => {
  port = await freePort([address, '127.0.0.42']);
});

const certificate = authority.issue(['mx.example.net']);
let receiver: Receiver | undefined;
beforeEach(async () => {
  receiver = await startReceiver({ address, port, certificate, answers: {} });
});
const answer = (answers: Answers) => Object.assign(receiver?.answers ?? {}, answers);
afterEach(async () => {
  await receiver?.[Symbol.asyncDispose]();
});

const stranger = 'nobody-at-all';

function partsWith(changes: Partial<CheckParts> = {}, route: Partial<CheckParts['route']> = {}): CheckParts {
  const clock = changes.clock ?? systemClock;
  const dial = socketDialler({ clock, authorities: [authority.cert] });
  return {
    resolver: scriptedResolver(zone, { failures: { 'broken.example': 'servfail' } }),
    clock,
    timeouts: calloutTimeouts,
    pool: new ConnectionPool({ dial, clock, ehloName: 'mx.example.com', timeouts: calloutTimeouts }),
    nobody: () => stranger,
    route: {
      hostname: 'mx.example.com',
      isOurs: ownListeners([]),
      port,
      allowPrivateAddresses: true,
      random: () => 0,
      clock,
      ...route,
    },
    ...changes,
  };
}

const check = (text: string, changes?: Partial<CheckParts>, route?: Partial<CheckParts['route']>) =>
  checkAddress(partsWith(changes, route), text);

const noSuchUser = reply(550, '5.1.1', 'No such user');
const strangerAt = (domain: string) => ({ [`${stranger}@${domain}`]: noSuchUser });

test('M11: an address is deliverable where the receiver takes it, and not an address that nobody has', async () => {
  answer({ recipients: strangerAt('example.net') });
  const found = await check('bob@example.net');
  expect(found).toMatchObject({ address: 'bob@example.net', verdict: 'deliverable' });
  expect(found.steps.map(({ step, finding }) => `${step} ${finding}`)).toEqual([
    'syntax good',
    'route good',
    'TLS good',
    'question good',
    'probe good',
  ]);
  expect(found.steps[1]?.evidence[0]).toContain('MX example.net: 10 mx.example.net');
  expect(found.steps[2]?.text).toContain('certificate: verified');
  const lines = found.dialogue.map(([, line]) => line);
  expect(lines.filter((line) => /^C: (?!EHLO|STARTTLS)/.test(line))).toEqual([
    'C: MAIL FROM:<>',
    'C: RCPT TO:<bob@example.net>',
    'C: RSET',
    'C: MAIL FROM:<>',
    `C: RCPT TO:<${stranger}@example.net>`,
    'C: RSET',
    'C: QUIT',
  ]);
  expect(lines.at(-1)).toMatch(/^S: 221/);
  expect(receiver?.taken).toEqual([]);
});

test('M11: an address is undeliverable where the receiver says that there is none such', async () => {
  answer({ recipients: { 'bob@example.net': noSuchUser } });
  expect(await check('bob@example.net')).toMatchObject({
    verdict: 'undeliverable',
    why: 'There is no such address.',
    steps: [
      {},
      {},
      {},
      { step: 'question', finding: 'bad', evidence: ['sending RCPT TO: 550 5.1.1 No such user'] },
    ],
  });
  expect(receiver?.named).toHaveLength(1);
});

test('M11: a domain in other letters than ASCII is asked for by its A-labels', async () => {
  answer({ recipients: strangerAt('xn--bcher-kva.example') });
  const found = await check('bob@Bücher.example');
  expect(found.verdict).toBe('deliverable');
  expect(found.steps[0]?.evidence).toEqual(['it is written bob@xn--bcher-kva.example']);
});

test.each([
  ['takes everything', {}, /takes every address/],
  ['greylists', { recipients: { 'bob@example.net': reply(450, '4.7.1', 'Greylisted') } }, /greylisting/],
  [
    'blocks us',
    { recipients: { 'bob@example.net': reply(550, '5.7.1', 'blocked by bl.example') } },
    /refuses us/,
  ],
  ['minds the null sender', { mail: reply(550, '5.7.1', 'no') }, /before it was asked/],
  ['turns us away', { connect: reply(554, '', 'go away') }, /None of its hosts/],
  [
    'does not answer the second question',
    { recipients: { [`${stranger}@example.net`]: reply(450, '4.7.1', 'Greylisted') } },
    /is not known/,
  ],
] as [string, Answers, RegExp][])('M11: nobody can tell where the receiver %s', async (_, given, why) => {
  answer(given);
  const found = await check('bob@example.net');
  expect(found).toMatchObject({ verdict: 'cannot tell', why: expect.stringMatching(why) });
  expect(found.steps.at(-1)).toMatchObject({ finding: 'unclear', evidence: [expect.anything()] });
  expect(found.dialogue.length).toBeGreaterThan(0);
});

test.each([
  ['bob', 'undeliverable', /no mail address/],
  ['bob@nowhere.example', 'undeliverable', /^(The|nowhere\.example) .*does not exist/],
  ['bob@null.example', 'undeliverable', /^null\.example accepts no mail/],
  ['bob@broken.example', 'cannot tell', /SERVFAIL/],
  ['bob@dead.example', 'cannot tell', /None of its hosts/],
])('M11: %s is %s without a receiver', async (text, verdict, why) => {
  expect(await check(text)).toMatchObject({ verdict, why: expect.stringMatching(why), dialogue: [] });
});

test('M11: hosts inside our own network are not asked', async () => {
  const found = await check('bob@private.example', {}, { allowPrivateAddresses: false });
  expect(found).toMatchObject({ verdict: 'undeliverable', why: expect.stringContaining('not public') });
});

describe('M11: the TLS policy of an address', () => {
  const dane = (fingerprint: string) => {
    const name = `_${port}._tcp.mx.example.net`;
    const zoneWith = { ...zone, [name]: { TLSA: [[3, 1, 1, fingerprint] as const] } };
    const resolver = scriptedResolver(zoneWith, { authentic: true });
    return { resolver, tls: { resolver, clock: systemClock } };
  };

  test('M11: without one, TLS is used where it is offered', async () => {
    const found = await check('bob@example.net', {
      tls: { resolver: scriptedResolver(zone), clock: systemClock },
    });
    expect(found.steps[2]).toMatchObject({ step: 'policy', text: expect.stringContaining('No policy') });
  });

  test('M11: by DANE the receiver must show the right certificate before it is asked', async () => {
    const found = await check('bob@example.net', dane('00'.repeat(32)));
    expect(found).toMatchObject({ verdict: 'cannot tell' });
    expect(found.steps.map(({ step }) => step)).toEqual(['syntax', 'route', 'policy', 'question']);
    expect(found.steps[2]?.evidence[0]).toContain('DANE');
    expect(found.steps[3]?.evidence[0]).toContain('no TLSA record matches');
    expect(receiver?.named).toEqual([]);
  });

  test('M11: by DANE the right certificate is enough', async () => {
    answer({ recipients: strangerAt('example.net') });
    const { publicKey } = new X509Certificate(certificate.cert);
    const key = publicKey.export({ type: 'spki', format: 'der' });
    const found = await check('bob@example.net', dane(createHash('sha256').update(key).digest('hex')));
    expect(found).toMatchObject({ verdict: 'deliverable' });
  });

  test('M11: whose TLSA records are not known now is not asked', async () => {
    const resolver = scriptedResolver(zone, {
      authentic: true,
      failures: { [`_${port}._tcp.mx.example.net`]: 'servfail' },
    });
    const found = await check('bob@example.net', { resolver, tls: { resolver, clock: systemClock } });
    expect(found).toMatchObject({ verdict: 'cannot tell', why: expect.stringContaining('TLSA') });
    expect(receiver?.connections).toBe(0);
  });
});

test('M11: the next host is asked where the first does not answer', async () => {
  answer({ recipients: strangerAt('two.example') });
  expect(await check('bob@two.example')).toMatchObject({ verdict: 'deliverable' });
});

test('M11: an address that needs SMTPUTF8 is undeliverable where that is not offered', async () => {
  await receiver?.[Symbol.asyncDispose]();
  receiver = undefined;
  await using peer = await scriptedPeer([
    'S: 220 mx\nC: EHLO mx.example.com\nS: 250 mx\nC: QUIT\nS: 221 bye',
  ]);
  const { port, address } = peer.endpoint;
  const resolver = scriptedResolver({ 'example.net': { A: [address] } });
  const found = await check('jürgen@example.net', { resolver }, { port });
  expect(found).toMatchObject({ verdict: 'undeliverable', why: expect.stringContaining('SMTPUTF8') });
});

test.each([
  ['known', 'deliverable'],
  ['unknown', 'undeliverable'],
  ['unclear', 'cannot tell'],
] as const)('M11: of our own domains nobody else is asked: %s is %s', async (own, verdict) => {
  const found = await check('bob@example.net', { findOwn: async () => own });
  expect(found).toMatchObject({ verdict, steps: [{ step: 'syntax' }, { step: 'domain' }] });
  expect(receiver?.connections).toBe(0);
});

test('M11: what our mail goes through is not asked: it answers for itself', async () => {
  const relay = (...domains: string[]) => {
    const way = { protocol: 'pipe', command: ['x'], timeoutMs: 1, concurrency: 1 } as const;
    return { findTransport: transportFinder([{ domains, way }]).find };
  };
  const everything = relay('*');
  expect(await check('bob@example.net', everything)).toMatchObject({ verdict: 'cannot tell' });
  expect(await check('bob@null.example', everything)).toMatchObject({ verdict: 'undeliverable' });
  expect(await check('bob@null.example', relay('null.example'))).toMatchObject({ verdict: 'cannot tell' });
  expect(receiver?.connections).toBe(0);
});

test('M11: a check ends, whatever the receiver does, and at once when it is broken off', async () => {
  await receiver?.[Symbol.asyncDispose]();
  receiver = undefined;
  const quiet = Promise.withResolvers<void>();
  const script = 'S: 220 mx\nC: EHLO mx.example.com\nS: 250 mx\nC: MAIL FROM:<>\nS> 250-\n== quiet';
  await using peer = await scriptedPeer([script, script], { onQuiet: () => quiet.resolve() });
  const { port, address } = peer.endpoint;
  const resolver = scriptedResolver({ 'example.net': { A: [address] } });
  const clock = fakeClock();
  const patient = { ...calloutTimeouts, mailMs: 2 * checkTimeoutMs };
  const late = check('bob@example.net', { resolver, clock, timeouts: patient }, { port });
  await quiet.promise;
  clock.advance(checkTimeoutMs);
  expect(await late).toMatchObject({ verdict: 'cannot tell', why: 'No answer within 180 s.' });

  const controller = new AbortController();
  const stopped = checkAddress(partsWith({ resolver }, { port }), 'bob@example.net', controller.signal);
  await eventually(async () => peer.connections === 2 || undefined, { explain: () => 'no connection' });
  controller.abort(new Error('stop'));
  await expect(stopped).rejects.toThrow('stop');
});
