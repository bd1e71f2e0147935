/** Reports that others send us, as tables: the mails that are to be read, the reports, and the rows of DMARC reports. */

import type { Database } from 'better-sqlite3';
import type { Operations, ReportMailTuple, ReportRowTuple, StoredReportTuple } from './protocol.ts';

export type ReportOperations = Pick<
  Operations,
  'addReportMail' | 'nextReportMail' | 'settleReportMail' | 'listReports' | 'listReportRows' | 'pruneReports'
>;

/** Reports that one step removes, each with its rows. */
const prunedAtOnce = 5;

const columns =
  'kind, queue_id, received_at, sender, organization, report_id, domain, begins_at, ends_at, data';
const rowColumns = 'source, header_from, disposition, dkim_aligned, spf_aligned, count, detail';

export function createReports(database: Database): ReportOperations {
  return { ...mailOperations(database), ...queries(database), pruneReports: createPruning(database) };
}

function mailOperations(
  database: Database,
): Pick<ReportOperations, 'addReportMail' | 'nextReportMail' | 'settleReportMail'> {
  const addMail = database.prepare('INSERT OR REPLACE INTO report_mail VALUES (?, ?, ?, ?)');
  const nextMail = database
    .prepare<[], ReportMailTuple>(
      'SELECT queue_id, received_at, facts, octets FROM report_mail ORDER BY received_at, queue_id LIMIT 1',
    )
    .raw();
  const removeMail = database.prepare('DELETE FROM report_mail WHERE queue_id = ?');
  const add = database.prepare(
    `INSERT INTO reports (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const addRow = database.prepare(
    `INSERT INTO report_rows (report, number, ${rowColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  return {
    addReportMail: (mail) => void addMail.run(...mail),
    nextReportMail: () => nextMail.get(),
    settleReportMail({ report, rows }) {
      removeMail.run(report[1]);
      const { changes, lastInsertRowid } = add.run(...report);
      if (changes === 0) return false;
      for (const [number, row] of rows.entries()) addRow.run(lastInsertRowid, number, ...row);
      return true;
    },
  };
}

function queries(database: Database): Pick<ReportOperations, 'listReports' | 'listReportRows'> {
  const wanted = 'kind = ? AND ends_at > ? AND id > ?';
  const list = (condition: string) =>
    database
      .prepare<(string | number)[], StoredReportTuple>(
        `SELECT id, ${columns} FROM reports WHERE ${condition} ORDER BY id LIMIT ?`,
      )
      .raw();
  const [ofAll, ofDomain] = [list(wanted), list(`${wanted} AND domain = ?`)];
  const rows = database
    .prepare<[number, number, number], ReportRowTuple>(
      `SELECT ${rowColumns} FROM report_rows WHERE report = ? AND number >= ? ORDER BY number LIMIT ?`,
    )
    .raw();
  return {
    listReports: ({ kind, domain, endsAfter, after = 0, limit }) =>
      domain === undefined
        ? ofAll.all(kind, endsAfter, after, limit)
        : ofDomain.all(kind, endsAfter, after, domain, limit),
    listReportRows: ({ report, after, limit }) => rows.all(report, after, limit),
  };
}

function createPruning(database: Database): ReportOperations['pruneReports'] {
  const old = database
    .prepare<[number, number, number], number>(
      `SELECT id FROM reports WHERE received_at < ?
         OR id <= (SELECT id FROM reports ORDER BY id DESC LIMIT 1 OFFSET ?) ORDER BY id LIMIT ?`,
    )
    .pluck();
  const remove = database.prepare('DELETE FROM reports WHERE id = ?');
  const removeRows = database.prepare('DELETE FROM report_rows WHERE report = ?');
  return ({ before, most }) => {
    const ids = old.all(before, most, prunedAtOnce);
    for (const id of ids) {
      remove.run(id);
      removeRows.run(id);
    }
    return ids.length;
  };
}
