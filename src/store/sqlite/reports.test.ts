import { expect, test } from 'vitest';
import { temporaryStore } from '../../testing/store.ts';
import type { NewReport, ReportMail, ReportRow } from '../report-store.ts';

const mail = (queueId: string, receivedAt = 1): ReportMail => ({
  queueId,
  receivedAt,
  facts: { sender: 'b.example' },
  octets: Buffer.from(`mail ${queueId}`),
});

const row: ReportRow = {
  source: '192.0.2.1',
  headerFrom: 'a.example',
  disposition: 'none',
  dkimAligned: true,
  spfAligned: false,
  count: 3,
  detail: { dkim: [] },
};

const report = (queueId: string, changes: Partial<NewReport> = {}): NewReport => ({
  kind: 'dmarc',
  queueId,
  receivedAt: 1,
  sender: 'b.example',
  organization: 'B',
  reportId: queueId,
  domain: 'a.example',
  beginsAt: 1000,
  endsAt: 2000,
  data: { errors: [] },
  rows: [row],
  ...changes,
});

test('mails that bring reports are kept until they are read, the oldest first, also over a restart', async () => {
  await using world = await temporaryStore();
  await world.store.addReportMail(mail('Q2', 2));
  await world.store.addReportMail(mail('Q1', 1));
  await world.store.addReportMail(mail('Q1', 1));
  const store = await world.reopen();
  expect(await store.nextReportMail()).toEqual(mail('Q1', 1));
  expect(await store.settleReportMail(report('Q1'))).toBe(true);
  expect((await store.nextReportMail())?.queueId).toBe('Q2');
  await store.settleReportMail(report('Q2'));
  expect(await store.nextReportMail()).toBeUndefined();
});

test('the same report again is not kept, and its mail goes all the same', async () => {
  await using world = await temporaryStore();
  const { store } = world;
  const keep = async (queueId: string, changes: Partial<NewReport>) => {
    await store.addReportMail(mail(queueId));
    return store.settleReportMail(report(queueId, { reportId: '1', ...changes }));
  };
  expect(await keep('Q1', {})).toBe(true);
  expect(await keep('Q2', {})).toBe(false);
  expect(await keep('Q3', { organization: 'C' })).toBe(true);
  expect(await keep('Q4', { sender: '' })).toBe(true);
  expect(await store.nextReportMail()).toBeUndefined();
  const { reports } = await store.listReports({ kind: 'dmarc', endsAfter: 0, limit: 10 });
  expect(reports.map(({ queueId }) => queueId)).toEqual(['Q1', 'Q3', 'Q4']);
});

test('listReports() and listReportRows() give what was kept, page by page', async () => {
  await using world = await temporaryStore();
  const { store } = world;
  const rows = Array.from({ length: 5 }, (_, n) => ({ ...row, count: n }));
  for (const queueId of ['Q1', 'Q2', 'Q3']) await store.settleReportMail(report(queueId, { rows }));
  await store.settleReportMail(report('Q4', { kind: 'tls' }));
  await store.settleReportMail(report('Q5', { domain: 'other.example', endsAt: 100 }));
  const query = { kind: 'dmarc' as const, domain: 'a.example', endsAfter: 1500, limit: 2 };
  const first = await store.listReports(query);
  const { rows: _, ...kept } = report('Q1');
  expect(first.reports[0]).toEqual({ id: 1, ...kept });
  expect(first.reports).toHaveLength(2);
  const second = await store.listReports({ ...query, after: first.next ?? 0 });
  expect(second.reports.map(({ queueId }) => queueId)).toEqual(['Q3']);
  expect(second.next).toBeUndefined();
  expect((await store.listReports({ kind: 'dmarc', endsAfter: 50, limit: 10 })).reports).toHaveLength(4);
  expect(await store.listReportRows(1, 0, 3)).toEqual(rows.slice(0, 3));
  expect(await store.listReportRows(1, 3, 3)).toEqual(rows.slice(3));
});

test('pruneReports() removes what is old, and the oldest of too many', async () => {
  await using world = await temporaryStore();
  const { store } = world;
  for (let n = 1; n <= 20; n++) await store.settleReportMail(report(`Q${n}`, { receivedAt: n }));
  expect(await store.pruneReports(5, 100)).toBe(4);
  expect(await store.pruneReports(0, 10)).toBe(6);
  const { reports } = await store.listReports({ kind: 'dmarc', endsAfter: 0, limit: 100 });
  expect(reports.map(({ receivedAt }) => receivedAt)).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
  expect(await store.listReportRows(1, 0, 10)).toEqual([]);
});
