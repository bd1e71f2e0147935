import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readAggregateReport } from '../../dmarc-rpt/read.ts';
import type { AggregateReport } from '../../dmarc-rpt/report.ts';
import { parseHeader } from '../../mail/header.ts';
import { readTlsReport } from '../../tls-rpt/read.ts';
import { readReport } from './read-report.ts';
import { isReport } from './recognise.ts';

const folder = new URL('../../../testdata/reports/', import.meta.url);

const octetsOf = (path: string) => readFileSync(new URL(path, folder));

const jsonOf = (path: string) => JSON.parse(octetsOf(path).toString('utf8'));

const filesIn = (name: string, end: string) =>
  readdirSync(new URL(`${name}/`, folder))
    .filter((file) => file.endsWith(end))
    .sort()
    .map((file) => `${name}/${file}`);

/** The expected parses are written with names of their own, and with what is not said as `null` or a default. */
interface ExpectedDmarc {
  report_metadata: {
    org_name: string;
    email: string;
    report_id: string;
    date_range: { begin: number; end: number };
    error: string[];
  };
  policy_published: Record<'domain' | 'p' | 'sp' | 'np' | 'adkim' | 'aspf', string | undefined>;
  record: {
    row: {
      source_ip: string;
      count: number;
      policy_evaluated: {
        disposition: string;
        dkim: string;
        spf: string;
        reason: { type_?: string; type?: string; comment: string | null }[];
      };
    };
    identifiers: { envelope_from: string; header_from: string; envelope_to: string | null };
    auth_results: {
      dkim: { domain: string; selector: string; result: string }[];
      spf: { domain: string; scope: string; result: string }[];
    };
  }[];
}

const word = (text: string | undefined) =>
  text === undefined || text === 'Unspecified' ? undefined : text.toLowerCase();

function expectDmarc(report: AggregateReport, expected: ExpectedDmarc): void {
  const { report_metadata: metadata, policy_published: policy, record } = expected;
  expect([report.organization, report.email, report.reportId]).toEqual([
    metadata.org_name,
    metadata.email,
    metadata.report_id,
  ]);
  expect([report.beginsAt / 1000, report.endsAt / 1000]).toEqual([
    metadata.date_range.begin,
    metadata.date_range.end,
  ]);
  expect(report.errors).toEqual(metadata.error);
  expect([report.policy.domain, report.policy.p, report.policy.sp, report.policy.np]).toEqual([
    policy.domain,
    word(policy.p),
    word(policy.sp),
    word(policy.np),
  ]);
  expect([report.policy.adkim, report.policy.aspf]).toEqual([
    word(policy.adkim)?.[0],
    word(policy.aspf)?.[0],
  ]);
  expect(
    report.records.map((each) => ({
      source: each.source,
      count: each.count,
      disposition: each.disposition,
      dkim: each.dkimAligned,
      spf: each.spfAligned,
      reasons: each.reasons.length,
      from: [each.headerFrom, each.envelopeFrom ?? ''],
      dkimResults: each.dkim.map(({ domain, selector = '', result }) => [domain, selector, result]),
      spfResults: each.spf.map(({ domain, scope, result }) => [domain, scope, result]),
    })),
  ).toEqual(
    record.map(({ row, identifiers, auth_results: results }) => ({
      source: row.source_ip,
      count: row.count,
      disposition: word(row.policy_evaluated.disposition) ?? 'none',
      dkim: row.policy_evaluated.dkim === 'Pass',
      spf: row.policy_evaluated.spf === 'Pass',
      reasons: row.policy_evaluated.reason.length,
      from: [identifiers.header_from, identifiers.envelope_from],
      dkimResults: results.dkim.map(({ domain, selector, result }) => [domain, selector, word(result)]),
      spfResults: results.spf.map(({ domain, scope, result }) => [domain, scopeOf(scope), word(result)]),
    })),
  );
}

const scopeOf = (scope: string) => ({ MailFrom: 'mfrom', Helo: 'helo' })[scope];

describe('suite report: DMARC', () => {
  test.each(filesIn('dmarc-feedback', '.xml'))('suite report: %s', (path) => {
    expectDmarc(readAggregateReport(octetsOf(path)), jsonOf(path.replace('.xml', '.json')));
  });

  test.each(filesIn('dmarc-feedback', '.eml'))('suite report: %s', (path) => {
    const read = readReport(octetsOf(path), 'x-token');
    if (read.kind !== 'dmarc') throw new Error(JSON.stringify(read));
    expectDmarc(read.report, jsonOf(path.replace('.eml', '.json')));
  });

  // What is expected of them is not in the suite: these are their own words, by other programs.
  test.each([
    ['google', 'google.com', 'ueber.net', 2],
    ['mailru', 'Mail.Ru', 'ueber.net', 1],
    ['outlook', 'Outlook.com', 'ueber.net', 1],
    ['xs4all', 'xs4all.nl', 'ueber.net', 1],
    ['yahoo', 'Yahoo! Inc.', 'ueber.net', 1],
  ])('suite report: mox-dmarc-reports/%s.eml', (name, organization, domain, records) => {
    const read = readReport(octetsOf(`mox-dmarc-reports/${name}.eml`), 'x-token');
    if (read.kind !== 'dmarc') throw new Error(JSON.stringify(read));
    const { report } = read;
    expect([report.organization, report.policy.domain, report.records.length]).toEqual([
      organization,
      domain,
      records,
    ]);
    for (const { count } of report.records) expect(count).toBeGreaterThan(0);
  });
});

describe('suite report: TLS', () => {
  test.each(filesIn('tlsrpt', '.json'))('suite report: %s', (path) => {
    const sample = jsonOf(path);
    const report = readTlsReport(octetsOf(path));
    expect([report.organization, report.reportId]).toEqual([
      sample['organization-name'],
      sample['report-id'],
    ]);
    expect(new Date(report.endsAt).toISOString().replace('.000', '')).toBe(
      sample['date-range']['end-datetime'],
    );
    expect(report.policies.map(({ type, successes, failures }) => [type, successes, failures])).toEqual(
      sample.policies.map(
        ({ policy, summary }: { policy: Record<string, string>; summary: Record<string, number> }) => [
          policy['policy-type'],
          summary['total-successful-session-count'] ?? 0,
          summary['total-failure-session-count'] ?? 0,
        ],
      ),
    );
    expect(report.policies.flatMap(({ details }) => details.map(({ count }) => count))).toEqual(
      sample.policies.flatMap((policy: Record<string, { 'failed-session-count': number }[] | undefined>) =>
        (policy['failure-details'] ?? []).map((detail) => detail['failed-session-count']),
      ),
    );
  });

  test.each([
    ['tlsrpt/rpt01.eml', 'tlsrpt/rpt01.json'],
    ['tlsrpt/rpt02.eml', 'tlsrpt/rpt02.json'],
  ])('suite report: %s', (mail, json) => {
    expect(readReport(octetsOf(mail), 'x-token')).toEqual({
      kind: 'tls',
      report: readTlsReport(octetsOf(json)),
    });
  });

  test.each([
    ['example', 'Google Inc.'],
    ['microsoft', 'Microsoft Corporation'],
  ])('suite report: mox-tlsreports/%s.eml', (name, organization) => {
    const read = readReport(octetsOf(`mox-tlsreports/${name}.eml`), 'x-token');
    if (read.kind !== 'tls') throw new Error(JSON.stringify(read));
    expect([read.report.organization, read.report.policies[0]?.domain]).toEqual([
      organization,
      'test.xmox.nl',
    ]);
  });
});

interface ExpectedAbuse {
  feedback_type: string;
  arrival_date: number | null;
  incidents: number;
  original_mail_from: string | null;
  original_rcpt_to: string | null;
  reported_domain: string[];
  reporting_mta: string | null;
  source_ip: string | null;
  user_agent: string | null;
  message: string | null;
  headers: string | null;
}

describe('suite report: abuse', () => {
  test.each(filesIn('arf', '.eml'))('suite report: %s', (path) => {
    const expected: ExpectedAbuse = jsonOf(path.replace('.eml', '.json'));
    const read = readReport(octetsOf(path), 'x-token');
    if (read.kind !== 'abuse') throw new Error(JSON.stringify(read));
    const { report } = read;
    const bare = (text: string | null) => text?.replace(/^<(.*)>$/, '$1');
    expect({
      type: report.type.replace('-', ''),
      arrivedAt: report.arrivedAt,
      incidents: report.incidents,
      from: report.originalMailFrom,
      to: report.originalRecipients[0],
      domains: report.reportedDomains,
      mta: report.reportingMta,
      source: report.source,
      agent: report.userAgent,
      // The Message-ID shows that what the suite has of the message is what was read.
      isFound: (expected.message ?? expected.headers ?? report.original?.messageId ?? '').includes(
        report.original?.messageId?.slice(1, -1) ?? '',
      ),
    }).toEqual({
      type: expected.feedback_type.toLowerCase(),
      arrivedAt: expected.arrival_date === null ? undefined : expected.arrival_date * 1000,
      incidents: expected.incidents,
      from: bare(expected.original_mail_from),
      to: bare(expected.original_rcpt_to),
      domains: expected.reported_domain,
      mta: expected.reporting_mta?.replace(/^dns; /, '') ?? undefined,
      source: expected.source_ip ?? undefined,
      agent: expected.user_agent ?? undefined,
      isFound: true,
    });
  });
});

test.each(
  ['arf', 'dmarc-feedback', 'mox-dmarc-reports', 'mox-tlsreports', 'tlsrpt'].flatMap((name) =>
    filesIn(name, '.eml'),
  ),
)('isReport() knows %s by its header', (path) => {
  expect(isReport(parseHeader(octetsOf(path)))).toBe(true);
});
