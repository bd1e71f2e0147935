import { setImmediate } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { generateDkimKey } from '../authentication/dkim-key.ts';
import { createSigner, type DkimSigner } from '../authentication/dkim-sign.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { ZoneData } from '../dns/zone-data.ts';
import { httpsClient } from '../net/https.ts';
import { Directory } from '../queue/directory.ts';
import type { ClaimedMessage } from '../store/queue-store.ts';
import type { Store } from '../store/store.ts';
import { testAuthority } from '../testing/certificates.ts';
import { eventually } from '../testing/eventually.ts';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { type HttpsHost, startHttpsHost } from '../testing/https-host.ts';
import { scriptedResolver } from '../testing/scripted-resolver.ts';
import { sampleMessage, type TemporaryStore, temporaryStore } from '../testing/store.ts';
import type { TlsResult } from '../tls-rpt/result.ts';
import type { DomainTally } from '../tls-rpt/tally.ts';
import { createLog } from '../util/log.ts';
import { httpsCarrier, mailCarrier } from './carriers.ts';
import { earliestMs, spreadMs, tickMs } from './day-reports.ts';
import { type DomainDay, dayOf, memoOf, retryForMs } from './domain-day.ts';
import { firstRetryMs } from './sending.ts';
import { memoKind, startTlsReports, type TlsReports } from './tls-reports.ts';

const hourMs = 3600_000;
const noon = Date.UTC(2026, 0, 5, 12);
const authority = testAuthority();
const none = { type: 'no-policy-found', domain: 'example.net', strings: [], mxHosts: [] } as const;
const success: TlsResult = { at: noon, domain: 'example.net', policy: none };
const failure: TlsResult = { ...success, failure: { type: 'starttls-not-supported' } };
const record = (...rua: string[]): ZoneData => ({
  '_smtp._tls.example.net': { TXT: [`v=TLSRPTv1; rua=${rua.join(',')}`] },
  'reports.example': { A: ['127.0.0.1'] },
});

let signer: DkimSigner;
beforeAll(async () => {
  const privateKeyPem = await generateDkimKey('ed25519');
  signer = createSigner({ domain: 'example.com', selector: 's', privateKeyPem, clock: fakeClock(noon) });
});

let clock: FakeClock;
let opened: TemporaryStore;
let host: HttpsHost;
let running: TlsReports | undefined;
let logged: Record<string, unknown>[] = [];
beforeEach(async () => {
  clock = fakeClock(noon);
  opened = await temporaryStore({ clock });
  host = await startHttpsHost(authority.issue(['reports.example']));
  logged = [];
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await host[Symbol.asyncDispose]();
  await opened[Symbol.asyncDispose]();
});

let nextNumber = 0;

/** Recipients of ours to whom reports went. */
let offered: string[];
beforeEach(() => {
  offered = [];
});

interface Setting {
  resolver: Resolver;
  dossiers?: boolean;
  maxDomains?: number;
  /** Stands between the reports and the store. */
  storeWith?: (store: Store) => Partial<Store>;
}

async function start({ resolver, dossiers = true, storeWith, ...rest }: Setting): Promise<TlsReports> {
  const store = { ...opened.store, ...storeWith?.(opened.store) };
  const contact = 'postmaster@example.com';
  const https = httpsClient({ resolver, clock, authorities: [authority.cert], allowPrivateAddresses: true });
  const directory = new Directory({ store, domains: [{ name: 'example.com' }] });
  const queue = { accept: (entry: Parameters<Store['accept']>[0]) => store.accept(entry) };
  running = await startTlsReports({
    ...rest,
    store,
    clock,
    log: createLog('info', { write: (line) => void logged.push(JSON.parse(line)) }),
    resolver,
    organization: 'Example Ltd',
    contact,
    submitter: 'example.com',
    nextQueueId: () => `R${++nextNumber}`,
    carriers: {
      mailto: mailCarrier({
        store,
        clock,
        directory,
        signer,
        dossiers,
        hostname: 'mx.example.com',
        offer: async ({ forwardPaths }) => void offered.push(...forwardPaths),
        queue: { accept: (entry) => queue.accept({ ...entry, claimed: false }) },
      }),
      https: httpsCarrier(https),
    },
  });
  return running;
}

/** Nobody looks at the clock while the last look has not come to its end: one look for each step. */
const longestStepMs = 6 * tickMs;

/** One look at the clock after the other, each with what follows from it; `durationMs` is a multiple of `tickMs`. */
async function pass(durationMs: number): Promise<void> {
  for (let left = durationMs; left > 0; left -= longestStepMs) {
    clock.advance(Math.min(left, longestStepMs));
    await setImmediate();
    const isOver = async () => clock.planned.includes(clock.now() + tickMs) || undefined;
    await eventually(isOver, { explain: () => 'a look without end' });
  }
}

const dayIsReported = () => pass(12 * hourMs + earliestMs + spreadMs + tickMs);

const memos = async (): Promise<DomainDay<DomainTally>[]> =>
  (await opened.store.listMemos(memoKind)).map((memo) => dayOf<DomainTally>(memo));
const sent = (): Promise<ClaimedMessage[]> =>
  opened.store.claim({ now: clock.now(), limit: 100, leaseMs: hourMs });
const reportIn = (gzip: Buffer) => JSON.parse(gunzipSync(gzip).toString());
const told = async () =>
  (await opened.store.trace({ limit: 100 }))
    .filter(({ event }) => event === 'tlsReported')
    .sort((one, other) => (one.queueId < other.queueId ? -1 : 1));

test('TLS reports: a day is told by mail and by HTTPS, once, some time after it is over', async () => {
  const url = `https://reports.example:${host.port}/tls`;
  const { onResult } = await start({ resolver: scriptedResolver(record('mailto:tls@example.org', url)) });
  onResult(success);
  onResult(failure);
  await pass(12 * hourMs + earliestMs - tickMs);
  expect([await sent(), host.requests]).toEqual([[], []]);
  await pass(spreadMs + 2 * tickMs);

  expect(host.requests).toMatchObject([
    { method: 'POST', url: '/tls', headers: { 'content-type': 'application/tlsrpt+gzip' } },
  ]);
  const posted = reportIn(host.requests[0]?.body ?? Buffer.of());
  expect(posted).toMatchObject({
    'organization-name': 'Example Ltd',
    'contact-info': 'postmaster@example.com',
    'date-range': { 'start-datetime': '2026-01-05T00:00:00Z', 'end-datetime': '2026-01-05T23:59:59Z' },
    policies: [{ summary: { 'total-successful-session-count': 1, 'total-failure-session-count': 1 } }],
  });
  const [letter, ...others] = await sent();
  expect(others).toEqual([]);
  expect(letter?.message).toMatchObject({
    reversePath: '',
    failuresTo: 'nobody',
    requests: { tlsOptional: true },
  });
  expect(letter?.message.prefix.toString()).toMatch(/^DKIM-Signature: .*d=example\.com;/s);
  expect(letter?.jobs).toMatchObject([{ recipient: 'tls@example.org', destination: 'example.org' }]);
  const { queuedAt = 0, expiresAt } = letter?.jobs[0] ?? {};
  expect(expiresAt).toBe(queuedAt + retryForMs);
  const content = letter?.message.content;
  const text = content?.kind === 'inline' ? content.bytes.toString() : '';
  const attached = Buffer.from(text.split('\r\n\r\n').at(-1)?.split('\r\n--')[0] ?? '', 'base64');
  expect(reportIn(attached)).toEqual(posted);

  expect(await told()).toMatchObject([
    {
      queueId: letter?.message.queueId,
      data: { uri: 'mailto:tls@example.org', domain: 'example.net', failures: 1 },
    },
    { data: { uri: url, day: '2026-01-05', successes: 1 } },
  ]);
  expect(logged.map(({ msg }) => msg)).toEqual(['TLS report sent', 'TLS report sent']);
  expect(await memos()).toEqual([]);
  await pass(30 * hourMs);
  expect(host.requests).toHaveLength(1);
  expect((await sent()).map(({ message }) => message.queueId)).toEqual([letter?.message.queueId]);
});

test('TLS reports: a restart goes on counting, and forgets nothing that is due', async () => {
  const resolver = scriptedResolver(record('mailto:tls@example.org'));
  (await start({ resolver })).onResult(success);
  await running?.stop();
  (await start({ resolver })).onResult(failure);
  await pass(tickMs);
  running?.onResult(success);
  await running?.stop();
  expect(await memos()).toMatchObject([{ tally: { policies: [{ successes: 2, failures: 1 }] } }]);
  clock.advance(3 * 24 * hourMs);
  (await start({ resolver })).onResult(success);
  await pass(tickMs);
  expect(await sent()).toHaveLength(1);
  expect(await memos()).toMatchObject([{ day: '2026-01-08' }]);
});

test('TLS reports: what is added up while it is written is written the next time', async () => {
  let isFirst = true;
  const { onResult } = await start({
    resolver: scriptedResolver(record()),
    storeWith: (store) => ({
      writeMemos(...given) {
        const written = store.writeMemos(...given);
        if (isFirst) onResult(failure);
        isFirst = false;
        return written;
      },
    }),
  });
  onResult(success);
  await pass(tickMs);
  expect(await memos()).toMatchObject([{ tally: { policies: [{ successes: 1, failures: 0 }] } }]);
  await pass(tickMs);
  expect(await memos()).toMatchObject([{ tally: { policies: [{ successes: 1, failures: 1 }] } }]);
});

const yesterday = (uri: string): DomainDay<DomainTally> => ({
  domain: 'example.net',
  day: '2026-01-04',
  tally: { policies: [{ policy: none, successes: 1, failures: 0, details: [] }] },
  sending: {
    startedAt: noon,
    attempts: 0,
    nextAt: noon,
    targets: [{ uri, queueId: 'BEGUN', state: 'begun' }],
  },
});

test.each([
  { uri: 'mailto:tls@example.org', wasAccepted: true, dossiers: true, letters: 1, problem: undefined },
  { uri: 'mailto:tls@example.org', wasAccepted: false, dossiers: true, letters: 1, problem: undefined },
  {
    uri: 'mailto:tls@example.org',
    wasAccepted: false,
    dossiers: false,
    letters: 0,
    problem: 'it may have arrived',
  },
  {
    uri: 'https://reports.example/',
    wasAccepted: false,
    dossiers: true,
    letters: 0,
    problem: 'it may have arrived',
  },
])('TLS reports: nothing is sent twice where a crash came between: %o', async (setting) => {
  const { uri, wasAccepted, dossiers, letters, problem } = setting;
  const resolver = scriptedResolver(record(uri));
  await opened.store.writeMemos([memoOf(memoKind, yesterday(uri))]);
  if (wasAccepted) await opened.store.accept(sampleMessage('BEGUN'));
  await start({ resolver, dossiers });
  await pass(2 * tickMs);
  expect((await sent()).map(({ message }) => message.queueId)).toEqual(letters ? ['BEGUN'] : []);
  expect(await told()).toMatchObject([
    { data: { uri, ...(problem && { problem: expect.stringContaining(problem) }) } },
  ]);
  expect(host.requests).toEqual([]);
  expect(await memos()).toEqual([]);
});

test('TLS reports: who cannot be reached gets it later, for a day', async () => {
  host.answer = (response) => void response.writeHead(503).end();
  const { onResult } = await start({
    resolver: scriptedResolver(record(`https://reports.example:${host.port}/`)),
  });
  onResult(success);
  await dayIsReported();
  await pass(2 * firstRetryMs);
  expect(host.requests.length).toBeGreaterThan(1);
  await pass(retryForMs);
  const { length } = host.requests;
  expect(length).toBeLessThan(10);
  expect(await told()).toMatchObject([{ data: { problem: 'it answers 503' } }]);
  expect(logged.at(-1)).toMatchObject({ msg: 'TLS report given up', problem: 'it answers 503' });
  await pass(retryForMs);
  expect(host.requests).toHaveLength(length);
});

test('TLS reports: a record that is not known now is looked up later; where there is none, nothing is told', async () => {
  const resolver = scriptedResolver({}, { failures: { '_smtp._tls.example.net': 'servfail' } });
  const { onResult } = await start({ resolver });
  onResult(success);
  onResult({ ...success, domain: 'example.org' });
  await dayIsReported();
  expect(await memos()).toMatchObject([{ domain: 'example.net' }]);
  resolver.rewrite(record('mailto:tls@example.org'));
  await pass(spreadMs);
  expect(await sent()).toHaveLength(1);
  expect(await memos()).toEqual([]);
});

test.each([
  ['mailto:nobody', 'it is no mail address'],
  ['mailto:nobody@example.com', 'there is no such account here'],
])('TLS reports: %s cannot get one', async (uri, problem) => {
  const { onResult } = await start({ resolver: scriptedResolver(record(uri)) });
  onResult(success);
  await dayIsReported();
  expect(await told()).toMatchObject([{ data: { uri, problem } }]);
  expect(await sent()).toEqual([]);
});

test('TLS reports: one to ourselves is offered to whoever reads reports', async () => {
  const account = { address: 'tls@example.com', passwordHash: 'x', createdAt: 0 };
  await opened.store.addAccounts([account]);
  const { onResult } = await start({
    resolver: scriptedResolver(record('mailto:tls@example.com,mailto:tls@example.org')),
  });
  onResult(success);
  await dayIsReported();
  expect(await sent()).toHaveLength(2);
  expect(offered).toEqual(['tls@example.com']);
});

test('TLS reports: only so many domains are counted in a day', async () => {
  const { onResult } = await start({ resolver: scriptedResolver({}), maxDomains: 2 });
  for (const n of [1, 2, 3, 4, 1]) onResult({ ...success, domain: `d${n}.example` });
  await running?.stop();
  expect(await memos()).toMatchObject([
    { domain: 'd1.example', tally: { policies: [{ successes: 2 }] } },
    { domain: 'd2.example' },
  ]);
  expect(logged).toMatchObject([{ maxDomains: 2 }]);
});

test('TLS reports: a store that takes nothing any more is told of at the stop, and does not hinder it', async () => {
  const { onResult, stop } = await start({
    resolver: scriptedResolver({}),
    storeWith: () => ({ writeMemos: () => Promise.reject(new Error('the disk is gone')) }),
  });
  onResult(success);
  await pass(tickMs);
  await stop.call(running);
  expect(logged.map(({ msg }) => msg)).toEqual([
    'cannot send TLS reports now',
    'the last counts for TLS reports are lost',
  ]);
});
