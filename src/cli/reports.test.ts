import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type DoorFacts, keptReport } from '../reporting/inbox/kept-report.ts';
import { readReport } from '../reporting/inbox/read-report.ts';
import { openStore } from '../store/sqlite/open.ts';
import { runCommand } from '../testing/command-line.ts';

const sample = (path: string) => readFileSync(new URL(`../../testdata/reports/${path}`, import.meta.url));
const facts: DoorFacts = {
  sender: 'google.com',
  signed: true,
  trusted: false,
  from: 'Reporter <r@google.com>',
  subject: 'a subject\x1b[2J',
  messageId: '',
};

let directory: string;
// Each command opens the store.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-reports-'));
  writeFileSync(
    join(directory, 'posthorn.toml'),
    'hostname = "mx.example.com"\n[[domain]]\nname = "example.com"\n',
  );
  const store = await openStore({ dataDir: join(directory, 'data') });
  const keep = async (queueId: string, message: Buffer, changes: Partial<DoorFacts> = {}) => {
    const known = { ...facts, ...changes };
    const kept = keptReport(
      readReport(message, 'cfbl-feedback-id'),
      { queueId, receivedAt: Date.now(), facts },
      known,
      () => true,
    );
    await store.settleReportMail({ ...kept, queueId, receivedAt: Date.now(), sender: known.sender });
  };
  await keep('Q1', sample('mox-dmarc-reports/google.eml'));
  await keep('Q2', sample('dmarc-feedback/104.eml'), { sender: '' });
  await keep('Q3', sample('mox-tlsreports/example.eml'));
  await keep('Q4', sample('arf/001.eml'));
  await keep('Q5', Buffer.from('Subject: Report Domain: x\r\n\r\nnothing'));
  await store.close();
});
afterAll(() => rmSync(directory, { recursive: true }));

const reports = (...args: string[]) => runCommand(['reports', ...args], { cwd: directory });
/** The samples are of other years. */
const ever = ['--since', '9999d'];

test('posthorn reports dmarc tells who sends as us, and counts what is proven only', async () => {
  const { out, exitCode } = await reports('dmarc', ...ever);
  expect(exitCode).toBe(0);
  expect(out).toMatch(
    /^1 report on what was since .*, of google\.com \(1\)\n\d+ messages? in our name, of which \d+ pass/,
  );
  expect(out).toMatch(/\n46\.19\.35\.124 {2}as ueber\.net {2}3 messages: pass\n/);
  expect(out).toContain('1 report that nobody is proven to have sent: not counted. To count: --unproven');
  const all = await reports('dmarc', ...ever, '--unproven', '--json');
  expect(JSON.parse(all.out)).toMatchObject({ reports: 2, unproven: 0 });
  const other = await reports('dmarc', ...ever, '--unproven', '--domain', 'stalw.art', '--json');
  expect(JSON.parse(other.out).reports).toBe(1);
  expect((await reports('dmarc')).out).toMatch(/^No DMARC report/);
});

test('posthorn reports tls tells of sessions and failures by policy', async () => {
  expect((await reports('tls', ...ever)).out).toMatch(
    /^2022-09-15 {2}Google Inc\.\n {4}test\.xmox\.nl, .*: \d+ sessions? as they should be, \d+ not\n/,
  );
});

test('posthorn reports abuse tells who complains, and of what', async () => {
  const { out } = await reports('abuse');
  expect(out).toMatch(/abuse {2}by Reporter <r@google\.com>\n/);
  expect(out).toContain('    message: <8787KJKJ3K4J3K4J3K4J3.mail@example.net>\n');
  expect(out).toContain('    not known here\n');
});

test('posthorn reports unreadable tells why, and moves no cursor', async () => {
  const { out } = await reports('unreadable');
  expect(out).toContain('a subject\\x1b[2J\n    it cannot be read: no part of it is a report\n');
  expect((await reports('unreadable', '--json')).out).toContain('"queueId": "Q5"');
});

test('posthorn reports refuses a time that is none', async () => {
  expect((await reports('dmarc', '--since', 'yesterday')).exitCode).toBe(64);
});
