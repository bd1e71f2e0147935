/**
 * What the store keeps of reports that others send us: the mails that are still to be read, and what was read. What is in a
 * report is the reporting's own; here it is text that survives JSON.
 */

/** A mail that brings a report, until it has been read. */
export interface ReportMail {
  queueId: string;
  receivedAt: number;
  /** What was known of it at the door. Must survive JSON. */
  facts: unknown;
  /** The message as it came. */
  octets: Buffer;
}

export type ReportKind = 'dmarc' | 'tls' | 'abuse' | 'unreadable';

export interface NewReport {
  kind: ReportKind;
  /** Of the mail that brought it. */
  queueId: string;
  receivedAt: number;
  /** The domain that the mail proves to come from; '' where it proves none. */
  sender: string;
  organization: string;
  reportId: string;
  /** The one that is reported on; '' where there are several, or none. */
  domain: string;
  /** Of the period, in ms since the epoch. */
  beginsAt: number;
  endsAt: number;
  /** All else. Must survive JSON. */
  data: unknown;
  rows: ReportRow[];
}

/** What a DMARC report says of messages that have all of this in common. */
export interface ReportRow {
  source: string;
  headerFrom: string;
  disposition: string;
  dkimAligned: boolean;
  spfAligned: boolean;
  count: number;
  /** All else. Must survive JSON. */
  detail: unknown;
}

export interface StoredReport extends Omit<NewReport, 'rows'> {
  /** Later ones have higher numbers. */
  id: number;
}

export interface ReportQuery {
  kind: ReportKind;
  domain?: string;
  /** Whose period ends after this moment. */
  endsAfter: number;
  /** `next` of the page before. */
  after?: number;
  /** Reports at most. */
  limit: number;
}

export interface ReportStore {
  /** Resolves when it is on disk. The same queue id again takes the place of the first. */
  addReportMail(mail: ReportMail): Promise<void>;
  /** The oldest that is to be read. */
  nextReportMail(): Promise<ReportMail | undefined>;
  /**
   * Keeps what was read of a mail, which goes, in one transaction. Resolves to false where there is that report already: the
   * same kind, domain, organization, report id and sender.
   */
  settleReportMail(report: NewReport): Promise<boolean>;
  /** In the order in which they came. */
  listReports(query: ReportQuery): Promise<{ reports: StoredReport[]; next?: number }>;
  /** Those of one report, after that number of them. */
  listReportRows(report: number, after: number, limit: number): Promise<ReportRow[]>;
  /** Removes reports that came before that moment, and of the others the oldest until there are no more than `most`. */
  pruneReports(before: number, most: number): Promise<number>;
}
