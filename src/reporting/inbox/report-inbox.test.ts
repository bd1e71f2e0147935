import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Verdicts } from '../../authentication/verdicts.ts';
import { parseHeader } from '../../mail/header.ts';
import type { ReportMail } from '../../store/report-store.ts';
import { eventually } from '../../testing/eventually.ts';
import { type FakeClock, fakeClock } from '../../testing/fake-clock.ts';
import { type TemporaryStore, temporaryStore } from '../../testing/store.ts';
import { createLog } from '../../util/log.ts';
import { createReportReader } from './reader.ts';
import {
  maxMailBytes,
  maxPerSender,
  maxWaiting,
  maxWaitingBytes,
  type OfferedMail,
  ReportInbox,
  type ReportInboxParts,
} from './report-inbox.ts';

const sample = (path: string) => readFileSync(new URL(`../../../testdata/reports/${path}`, import.meta.url));
const now = Date.UTC(2026, 10, 27, 12);
const dayMs = 24 * 3600_000;

let clock: FakeClock;
let temporary: TemporaryStore;
let inbox: ReportInbox;

beforeEach(async () => {
  clock = fakeClock(now);
  temporary = await temporaryStore({ clock });
  inbox = inboxOver();
});

afterEach(async () => {
  await inbox.stop();
  await temporary[Symbol.asyncDispose]();
});

const parts = (): ReportInboxParts => ({
  store: temporary.store,
  reader: createReportReader({ clock, tokenField: 'cfbl-feedback-id' }),
  addresses: { has: (address) => address === 'dmarc@a.example', start() {}, async stop() {} },
  clock,
  log: createLog('silent'),
  keptMs: 30 * dayMs,
  onAbuse: async ({ original }) => ({ messageId: original?.messageId }),
  isOurs: (domain) => domain !== 'elsewhere.example',
});

const inboxOver = () => new ReportInbox(parts());

/** As much of them as is looked at. */
const verdictsFor = (domain: string, signed: boolean) =>
  ({
    spf: { result: 'pass', domain },
    dkim: signed ? [{ result: 'pass', domain, aligned: true }] : [],
    dmarc: { domain, aligned: { spf: true, dkim: signed } },
  }) as unknown as Verdicts;

const offered = (queueId: string, message: Buffer, changes: Partial<OfferedMail> = {}): OfferedMail => ({
  queueId,
  at: clock.now(),
  forwardPaths: ['dmarc@a.example'],
  header: parseHeader(message),
  content: { kind: 'inline', bytes: message },
  verdicts: verdictsFor('google.com', true),
  ...changes,
});

async function reports(kind: 'dmarc' | 'tls' | 'abuse' | 'unreadable') {
  return (await temporary.store.listReports({ kind, endsAfter: 0, limit: 100 })).reports;
}

/** The reports of a kind, once there are so many. */
const reportsOnce = (kind: Parameters<typeof reports>[0], count = 1) =>
  eventually(
    async () => {
      const found = await reports(kind);
      return found.length === count ? found : undefined;
    },
    {
      explain: async () =>
        `${kind}: ${JSON.stringify(await reports(kind))}; unreadable: ${JSON.stringify(await reports('unreadable'))}`,
    },
  );

const google = sample('mox-dmarc-reports/google.eml');

test('a report is put aside before it is acknowledged, and read behind the door', async () => {
  const done = inbox.offer(offered('Q1', google));
  expect(done).toBeDefined();
  await done;
  const [report] = await reportsOnce('dmarc');
  expect(report).toMatchObject({
    queueId: 'Q1',
    sender: 'google.com',
    organization: 'google.com',
    domain: 'ueber.net',
    reportId: '13488712042596170873',
  });
  expect(await temporary.store.listReportRows(report?.id ?? 0, 0, 10)).toHaveLength(2);
  expect(await temporary.store.nextReportMail()).toBeUndefined();
});

test('what is no report, or not for us, is not looked at any further', async () => {
  const letter = Buffer.from('Subject: hello\r\nContent-Type: text/plain\r\n\r\nReport Domain: a.example');
  expect(inbox.offer(offered('Q1', letter))).toBeUndefined();
  expect(inbox.offer(offered('Q2', google, { forwardPaths: ['bob@a.example'] }))).toBeUndefined();
  const large = { kind: 'spool' as const, path: '/nowhere', sizeBytes: maxMailBytes + 1 };
  expect(inbox.offer(offered('Q3', google, { content: large }))).toBeUndefined();
  expect(await temporary.store.nextReportMail()).toBeUndefined();
});

test('a report that was put aside when the server stopped is read by the next run', async () => {
  const facts = { sender: 'google.com', signed: true, trusted: false, from: '', subject: '', messageId: '' };
  await temporary.store.addReportMail({ queueId: 'Q1', receivedAt: now, facts, octets: google });
  await temporary.reopen();
  inbox = inboxOver();
  inbox.start();
  await clock.advance(10_000);
  await reportsOnce('dmarc');
});

test('what cannot be read is kept with the reason', async () => {
  const message = Buffer.from(
    `Subject: Report Domain: a.example\r\nContent-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n${gzipSync('no report').toString('base64')}`,
  );
  await inbox.offer(offered('Q1', message));
  const [report] = await reportsOnce('unreadable');
  expect(report).toMatchObject({
    sender: 'google.com',
    data: { subject: 'Report Domain: a.example', problem: 'the file in it is neither XML nor JSON' },
  });
});

test('a report about a domain that is not ours is told, and counts for nothing', async () => {
  inbox = new ReportInbox({ ...parts(), isOurs: () => false });
  await inbox.offer(offered('Q1', google));
  const [report] = await reportsOnce('unreadable');
  expect(report?.data).toMatchObject({ problem: 'it is about ueber.net, which is not ours' });
  expect(await reports('dmarc')).toEqual([]);
});

test('a TLS report counts with a signature only', async () => {
  const message = sample('mox-tlsreports/example.eml');
  await inbox.offer(offered('Q1', message, { verdicts: verdictsFor('google.com', false) }));
  await inbox.offer(offered('Q2', message));
  await reportsOnce('tls');
  const [unsigned] = await reports('unreadable');
  expect(unsigned?.data).toMatchObject({ problem: 'no signature of its author proves it (RFC 8460 §3)' });
});

test('an abuse report is kept with what is known here of the message', async () => {
  await inbox.offer(offered('Q1', sample('arf/001.eml')));
  const [report] = await reportsOnce('abuse');
  expect(report?.data).toMatchObject({
    report: { type: 'abuse', userAgent: 'SomeGenerator/1.0' },
    matched: { messageId: '<8787KJKJ3K4J3K4J3K4J3.mail@example.net>' },
  });
});

test('the same report from the same sender counts once', async () => {
  for (const queueId of ['Q1', 'Q2', 'Q3']) await inbox.offer(offered(queueId, google));
  await eventually(async () => ((await temporary.store.nextReportMail()) === undefined ? true : undefined), {
    explain: () => 'mails wait still',
  });
  expect(await reports('dmarc')).toHaveLength(1);
});

test('no sender has more than its share of a day', async () => {
  const aside: ReportMail[] = [];
  const crowded = new ReportInbox({
    ...parts(),
    reader: { read: async () => ({ kind: 'unreadable', problem: 'not read' }), rest: async () => {} },
    store: {
      ...temporary.store,
      addReportMail: async (mail) => void aside.push(mail),
      nextReportMail: async () => aside.shift(),
      settleReportMail: async () => true,
    },
  });
  const offer = (domain: string) =>
    crowded.offer(offered('Q', google, { verdicts: verdictsFor(domain, true) }));
  let taken = 0;
  for (let n = 0; n < maxPerSender + 5; n++) {
    const put = offer('many.example');
    if (put === undefined) continue;
    await put;
    taken += 1;
    await setImmediate();
  }
  expect(taken).toBe(maxPerSender);
  expect(offer('other.example')).toBeDefined();
  clock.advance(dayMs);
  expect(offer('many.example')).toBeDefined();
});

test('no more mails are put aside than may wait', async () => {
  const stuck = new ReportInbox({
    ...parts(),
    store: { ...temporary.store, nextReportMail: () => new Promise(() => {}) },
  });
  for (let n = 0; n < maxWaiting; n++) await stuck.offer(offered(`Q${n}`, google));
  expect(stuck.offer(offered('last', google))).toBeUndefined();
  const heavy = new ReportInbox({
    ...parts(),
    store: { ...temporary.store, addReportMail: () => new Promise(() => {}) },
  });
  const large = Buffer.concat([google, Buffer.alloc(maxMailBytes - google.length, ' ')]);
  const taken = Array.from({ length: 10 }, (_, n) => heavy.offer(offered(`L${n}`, large))).filter(Boolean);
  expect(taken).toHaveLength(Math.floor(maxWaitingBytes / maxMailBytes));
});
