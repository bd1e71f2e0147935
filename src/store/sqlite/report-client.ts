/** The Store's reports over a link. */

import type { NewReport, ReportMail, ReportRow, ReportStore, StoredReport } from '../report-store.ts';
import type { Link } from './link.ts';
import type { ReportMailTuple, ReportRowTuple, ReportTuple, StoredReportTuple } from './protocol.ts';

export function reportsOver(link: Link): ReportStore {
  return {
    async addReportMail({ queueId, receivedAt, facts, octets }) {
      await link.call('addReportMail', [queueId, receivedAt, JSON.stringify(facts), octets]);
    },
    async nextReportMail() {
      const found = await link.call('nextReportMail', undefined);
      return found && mailOf(found);
    },
    settleReportMail: (report) =>
      link.call('settleReportMail', { report: tupleOf(report), rows: report.rows.map(rowTuple) }),
    async listReports({ limit, ...query }) {
      // One more than the page has room for tells whether there is another.
      const found = await link.call('listReports', { ...query, limit: limit + 1 });
      const reports = found.slice(0, limit).map(reportOf);
      const last = reports.at(-1);
      return { reports, ...(found.length > limit && last && { next: last.id }) };
    },
    async listReportRows(report, after, limit) {
      return (await link.call('listReportRows', { report, after, limit })).map(rowOf);
    },
    async pruneReports(before, most) {
      let total = 0;
      for (let count = -1; count !== 0; total += count)
        count = await link.call('pruneReports', { before, most });
      return total;
    },
  };
}

const mailOf = ([queueId, receivedAt, facts, octets]: ReportMailTuple): ReportMail => ({
  queueId,
  receivedAt,
  facts: JSON.parse(facts),
  // What was a Buffer has become a Uint8Array on its way between the threads.
  octets: Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength),
});

const tupleOf = (report: NewReport): ReportTuple => [
  report.kind,
  report.queueId,
  report.receivedAt,
  report.sender,
  report.organization,
  report.reportId,
  report.domain,
  report.beginsAt,
  report.endsAt,
  JSON.stringify(report.data),
];

const reportOf = ([id, ...tuple]: StoredReportTuple): StoredReport => ({
  id,
  kind: tuple[0],
  queueId: tuple[1],
  receivedAt: tuple[2],
  sender: tuple[3],
  organization: tuple[4],
  reportId: tuple[5],
  domain: tuple[6],
  beginsAt: tuple[7],
  endsAt: tuple[8],
  data: JSON.parse(tuple[9]),
});

const rowTuple = (row: ReportRow): ReportRowTuple => [
  row.source,
  row.headerFrom,
  row.disposition,
  Number(row.dkimAligned),
  Number(row.spfAligned),
  row.count,
  JSON.stringify(row.detail),
];

const rowOf = ([source, headerFrom, disposition, dkim, spf, count, detail]: ReportRowTuple): ReportRow => ({
  source,
  headerFrom,
  disposition,
  dkimAligned: dkim === 1,
  spfAligned: spf === 1,
  count,
  detail: JSON.parse(detail),
});
