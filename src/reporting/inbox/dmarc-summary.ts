/**
 * DMARC reports added up: who sends as us, whether it passes, and what became of it. A fold over the rows of the reports, page
 * by page, so that neither the store nor anybody else waits for long.
 */

import type { ReportRow, ReportStore, StoredReport } from '../../store/report-store.ts';

export interface DmarcSummary {
  reports: number;
  /** Reports that no domain is proven to have sent; they are not counted, unless asked for. */
  unproven: number;
  /** Who reported, with the number of reports, most of them first. */
  organizations: { name: string; reports: number }[];
  messages: number;
  passed: number;
  /** The most messages first. */
  sources: DmarcSource[];
  /** Sources for which there was no room. */
  moreSources: number;
  /** What reporters found wrong with our records. */
  errors: string[];
}

/** Messages from one address in the name of one domain. */
export interface DmarcSource {
  source: string;
  headerFrom: string;
  messages: number;
  /** By DMARC: an aligned DKIM signature or SPF pass. */
  passed: number;
  dkimAligned: number;
  spfAligned: number;
  quarantined: number;
  rejected: number;
  /** What DKIM and SPF found, aligned or not: `example.org pass`. */
  dkim: string[];
  spf: string[];
  /** Why a policy was not followed. */
  reasons: string[];
  reporters: string[];
}

export interface SummaryRequest {
  domain?: string;
  /** Reports on what was before count no more: ms since the epoch. */
  since: number;
  /** Those that nobody is proven to have sent count, too. */
  unproven?: boolean;
}

/** Sources that are told apart. */
export const maxSources = 5000;
/** Of each: names, reasons. */
const maxWords = 10;
const maxErrors = 20;
const [reportPage, rowPage] = [50, 1000];

export async function dmarcSummary(
  store: Pick<ReportStore, 'listReports' | 'listReportRows'>,
  request: SummaryRequest,
): Promise<DmarcSummary> {
  const sum = new Sum();
  const { domain, since: endsAfter } = request;
  const query = {
    kind: 'dmarc' as const,
    endsAfter,
    limit: reportPage,
    ...(domain !== undefined && { domain }),
  };
  for (let after: number | undefined = 0; after !== undefined; ) {
    const { reports, next } = await store.listReports({ ...query, after });
    for (const report of reports) {
      if (report.sender === '' && !request.unproven) sum.unproven += 1;
      else await addReport(store, sum, report);
    }
    after = next;
  }
  return sum.finish();
}

async function addReport(
  store: Pick<ReportStore, 'listReportRows'>,
  sum: Sum,
  report: StoredReport,
): Promise<void> {
  sum.addReport(report);
  for (let at = 0, count = rowPage; count === rowPage; at += count) {
    const rows = await store.listReportRows(report.id, at, rowPage);
    for (const row of rows) sum.addRow(row, report.organization);
    count = rows.length;
  }
}

class Sum {
  unproven = 0;
  #reports = 0;
  #messages = 0;
  #passed = 0;
  #more = new Set<string>();
  readonly #organizations = new Map<string, number>();
  readonly #sources = new Map<string, DmarcSource>();
  readonly #errors = new Set<string>();

  addReport({ organization, data }: StoredReport): void {
    this.#reports += 1;
    this.#organizations.set(organization, (this.#organizations.get(organization) ?? 0) + 1);
    const { errors = [] } = data as { errors?: string[] }; // written by kept-report.ts
    for (const error of errors) if (this.#errors.size < maxErrors) this.#errors.add(error);
  }

  addRow(row: ReportRow, organization: string): void {
    const { count } = row;
    const passed = row.dkimAligned || row.spfAligned ? count : 0;
    this.#messages += count;
    this.#passed += passed;
    const source = this.#sourceOf(row);
    if (source === undefined) return;
    source.messages += count;
    source.passed += passed;
    if (row.dkimAligned) source.dkimAligned += count;
    if (row.spfAligned) source.spfAligned += count;
    if (row.disposition === 'quarantine') source.quarantined += count;
    if (row.disposition === 'reject') source.rejected += count;
    addWord(source.reporters, organization);
    addDetail(source, row.detail as Detail); // written by kept-report.ts
  }

  #sourceOf({ source, headerFrom }: ReportRow): DmarcSource | undefined {
    const key = `${source} ${headerFrom}`;
    const known = this.#sources.get(key);
    if (known !== undefined) return known;
    if (this.#sources.size >= maxSources) {
      if (this.#more.size < maxSources) this.#more.add(key);
      return undefined;
    }
    const counts = { messages: 0, passed: 0, dkimAligned: 0, spfAligned: 0, quarantined: 0, rejected: 0 };
    const fresh = { source, headerFrom, ...counts, dkim: [], spf: [], reasons: [], reporters: [] };
    this.#sources.set(key, fresh);
    return fresh;
  }

  finish(): DmarcSummary {
    const organizations = [...this.#organizations].map(([name, reports]) => ({ name, reports }));
    return {
      reports: this.#reports,
      unproven: this.unproven,
      organizations: organizations.sort((a, b) => b.reports - a.reports),
      messages: this.#messages,
      passed: this.#passed,
      sources: [...this.#sources.values()].sort((a, b) => b.messages - a.messages),
      moreSources: this.#more.size,
      errors: [...this.#errors],
    };
  }
}

interface Detail {
  dkim?: { domain: string; result: string }[];
  spf?: { domain: string; result: string }[];
  reasons?: { type: string; comment?: string }[];
}

function addDetail(source: DmarcSource, { dkim = [], spf = [], reasons = [] }: Detail): void {
  for (const { domain, result } of dkim) addWord(source.dkim, `${domain} ${result}`);
  for (const { domain, result } of spf) addWord(source.spf, `${domain} ${result}`);
  for (const { type, comment } of reasons) addWord(source.reasons, comment ? `${type}: ${comment}` : type);
}

function addWord(words: string[], word: string): void {
  if (words.length < maxWords && !words.includes(word)) words.push(word);
}
