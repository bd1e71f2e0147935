/** What was read of a mail, as it is kept: pure. */

import type { AggregateRecord, AggregateReport } from '../../dmarc-rpt/report.ts';
import type { NewReport, ReportMail, ReportRow } from '../../store/report-store.ts';
import type { ReceivedTlsReport } from '../../tls-rpt/read.ts';
import type { ReadReport } from './read-report.ts';

/** What was known of the mail at the door, and of it itself. */
export interface DoorFacts {
  /** The author domain; '' where nothing proves it. */
  sender: string;
  /** A signature proves it. */
  signed: boolean;
  /** From a trusted network: nothing was checked. */
  trusted: boolean;
  /** For people, cut. */
  from: string;
  subject: string;
  messageId: string;
}

export type Kept = Pick<
  NewReport,
  'kind' | 'organization' | 'reportId' | 'domain' | 'beginsAt' | 'endsAt' | 'data' | 'rows'
>;

export function keptReport(
  read: ReadReport,
  { receivedAt, queueId }: Omit<ReportMail, 'octets'>,
  facts: DoorFacts,
  isOurs: (domain: string) => boolean,
): Kept {
  if (read.kind === 'dmarc' && isOurs(read.report.policy.domain)) return keptDmarc(read.report);
  // RFC 8460 §3: unsigned ones are to be ignored.
  if (read.kind === 'tls' && (facts.signed || facts.trusted)) return keptTls(read.report);
  const plain = {
    organization: facts.sender,
    reportId: facts.messageId || queueId,
    domain: '',
    beginsAt: receivedAt,
    endsAt: receivedAt,
    rows: [],
  };
  const mail = { from: facts.from, subject: facts.subject };
  if (read.kind === 'abuse') return { ...plain, kind: 'abuse', data: { ...mail, report: read.report } };
  return { ...plain, kind: 'unreadable', data: { ...mail, problem: problemOf(read) } };
}

function problemOf(read: Exclude<ReadReport, { kind: 'abuse' }>): string {
  if (read.kind === 'dmarc') return `it is about ${read.report.policy.domain}, which is not ours`;
  return read.kind === 'tls' ? 'no signature of its author proves it (RFC 8460 §3)' : read.problem;
}

function keptDmarc({ organization, reportId, beginsAt, endsAt, policy, ...report }: AggregateReport): Kept {
  const { email, errors, leftOut, records } = report;
  const data = { email, policy, errors, ...(leftOut !== undefined && { leftOut }) };
  const rows = records.map(rowOf);
  return { kind: 'dmarc', organization, reportId, domain: policy.domain, beginsAt, endsAt, data, rows };
}

function rowOf({
  source,
  headerFrom,
  disposition,
  dkimAligned,
  spfAligned,
  count,
  ...detail
}: AggregateRecord): ReportRow {
  return { source, headerFrom, disposition, dkimAligned, spfAligned, count, detail };
}

function keptTls({ organization, reportId, beginsAt, endsAt, contact, policies }: ReceivedTlsReport): Kept {
  const domains = new Set(policies.map(({ domain }) => domain));
  const [only = ''] = domains.size === 1 ? domains : [];
  return {
    kind: 'tls',
    organization,
    reportId,
    domain: only,
    beginsAt,
    endsAt,
    data: { contact, policies },
    rows: [],
  };
}
