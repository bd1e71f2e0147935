/** A running server and an authority over real HTTPS: its advice when to renew (RFC 9773), good and bad, over restarts. */

import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { IssuedStatus } from '../acme/acme-status.ts';
import {
  type AuthorityMood,
  answersOf,
  type TestAcmeAuthority,
  testAcmeAuthority,
} from '../testing/acme-authority.ts';
import { eventually } from '../testing/eventually.ts';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { freePort } from '../testing/free-ports.ts';
import { type HttpsHost, startHttpsHost } from '../testing/https-host.ts';
import { startWorld, type World } from '../testing/world.ts';

const name = 'mail.example.com';
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

let world: World<'example.com'>;
let host: HttpsHost;
let clock: FakeClock;
let ca: TestAcmeAuthority;
const mood: AuthorityMood = {};

beforeEach(async () => {
  clock = fakeClock(Date.now());
  const [port, web] = [await freePort(['127.0.0.1']), await freePort(['127.0.0.1'])];
  const base = `https://ca.example:${port}`;
  world = await startWorld({
    servers: {
      'example.com': {
        listeners: [{ protocol: 'http', address: '127.0.0.1', port: web }],
        settings: {
          acme: { directory: `${base}/dir`, caFile: '../ca.pem', termsAgreed: true },
          certificate: [{ names: [name] }],
        },
      },
    },
    dns: { 'ca.example': { A: ['127.0.0.1'] } },
    clock,
  });
  for (const key of Object.keys(mood)) delete mood[key as keyof AuthorityMood]; // its own keys
  ca = testAcmeAuthority(clock, mood, base);
  host = await startHttpsHost(world.authority.issue(['ca.example']), port);
  host.answer = answersOf(ca, base, host);
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

const server = () => world.servers['example.com'];
const orders = () => ca.asked.filter(({ path }) => path === '/new-order').map(({ payload }) => payload);
const questions = () => ca.asked.filter(({ path }) => path.startsWith('/renewal/')).map(({ path }) => path);

/** What is due is done when it resolves. */
async function settled(): Promise<IssuedStatus> {
  const { acme } = await server().withAdmin((admin) => admin.renewCertificates({ force: false }));
  const [issued] = acme?.certificates ?? [];
  if (issued === undefined) throw new Error('no certificate is wanted');
  return issued;
}

async function pass(ms: number): Promise<IssuedStatus> {
  clock.advance(ms);
  return settled();
}

const log = async () =>
  (await readFile(server().logFile, 'utf8'))
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));

/** Around now, as the authority would write it. */
const moment = (ms: number): string => new Date(clock.now() + ms).toISOString();

test('a window that is over: renewed at once, and the order says what it replaces', async () => {
  mood.advice = { start: moment(60 * dayMs), end: moment(61 * dayMs) };
  const first = await settled();
  expect(first.certificate?.names).toEqual([name]);
  await pass(hourMs);
  const planned = await settled();
  expect(planned.renewAt).toBeGreaterThanOrEqual(Date.parse(mood.advice.start));
  expect(planned.renewAt).toBeLessThanOrEqual(Date.parse(mood.advice.end));
  await pass(3 * dayMs);
  // The authority is to revoke it: its advice is another.
  mood.advice = { start: moment(-2 * dayMs), end: moment(-dayMs) };
  clock.advance(6 * hourMs);
  await eventually(async () => orders().length === 2 || undefined, { explain: () => 'no second order' });
  const after = await settled();
  expect(after.certificate?.notAfter).toBeGreaterThan(first.certificate?.notAfter ?? Infinity);
  expect(after.certificate?.spkiSha256).toBe(first.certificate?.spkiSha256);
  const [asked = ''] = questions();
  expect(orders()).toEqual([
    { identifiers: [{ type: 'dns', value: name }] },
    { identifiers: [{ type: 'dns', value: name }], replaces: asked.slice('/renewal/'.length) },
  ]);
  expect(new Set(questions()).size).toBeLessThanOrEqual(2); // each certificate by its own name
  const shown = await server().withAdmin((admin) => admin.tlsStatus());
  expect(shown.certificates.find(({ origin }) => origin === 'acme')?.notAfter).toBe(
    after.certificate?.notAfter,
  );
});

test('Retry-After is kept: over hours, over restarts, and with an error', async () => {
  mood.advice = {
    start: moment(60 * dayMs),
    end: moment(61 * dayMs),
    retryAfter: String((12 * hourMs) / 1000),
  };
  await settled();
  await pass(hourMs);
  expect(questions()).toHaveLength(1);
  await pass(11 * hourMs);
  await server().restart();
  await settled();
  expect(questions()).toHaveLength(1);
  const path = questions()[0] ?? '';
  mood.refuse = {
    path,
    status: 503,
    type: 'serverInternal',
    detail: 'busy',
    retryAfter: String((20 * hourMs) / 1000),
  };
  const questionsAsked = () => ca.asked.filter((one) => one.path === path).length;
  await pass(2 * hourMs);
  expect(questionsAsked()).toBe(2);
  await pass(19 * hourMs);
  expect(questionsAsked()).toBe(2);
  delete mood.refuse;
  await pass(2 * hourMs);
  expect(questionsAsked()).toBe(3);
});

test.each([
  ['no JSON', '<html>busy</html>', 'has no window'],
  ['no window', '{}', 'has no window'],
  [
    'one that ends when it begins',
    windowText('2026-01-02T00:00:00Z', '2026-01-02T00:00:00Z'),
    'ends before it begins',
  ],
  [
    'one that ends before it begins',
    windowText('2026-01-03T00:00:00Z', '2026-01-02T00:00:00Z'),
    'ends before it begins',
  ],
  ['times that are none', windowText('soon', 'later'), 'has no window'],
  ['times of another form', windowText('1', 'Jan 2 2020'), 'has no window'],
])('advice that is garbage is named, and the old rule counts: %s', async (_, garbage, text) => {
  mood.advice = { garbage };
  const { certificate, renewAt } = await settled();
  await pass(hourMs);
  expect(questions()).toHaveLength(1);
  const told = (await log()).filter(({ msg }) => msg === 'no advice when to renew');
  expect(told).toMatchObject([{ certificate: name, error: expect.stringContaining(text) }]);
  const { notBefore = 0, notAfter = 0 } = certificate ?? {};
  const life = notAfter - notBefore;
  expect(renewAt).toBeGreaterThanOrEqual(notBefore + life * (2 / 3 - 1 / 20));
  expect(renewAt).toBeLessThanOrEqual(notBefore + life * (2 / 3));
  expect((await settled()).renewAt).toBe(renewAt);
  clock.advance((renewAt ?? 0) - clock.now());
  await eventually(async () => orders().length === 2 || undefined, { explain: () => 'no second order' });
  expect((await settled()).certificate?.notAfter).toBeGreaterThan(notAfter);
});

test('an authority that gives no advice is not told what replaces what', async () => {
  await settled();
  await server().withAdmin((admin) => admin.renewCertificates({ force: true }));
  expect(orders()).toEqual([1, 2].map(() => ({ identifiers: [{ type: 'dns', value: name }] })));
  expect(questions()).toEqual([]);
});

function windowText(start: string, end: string): string {
  return JSON.stringify({ suggestedWindow: { start, end } });
}
