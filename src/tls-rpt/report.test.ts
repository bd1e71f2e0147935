import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { rangeOf, tlsReport } from './report.ts';
import type { TlsFailureType } from './result.ts';
import type { DomainTally } from './tally.ts';

type Json = Record<string, string>;
interface Sample {
  'organization-name': string;
  'date-range': Json;
  'contact-info': string;
  'report-id': string;
  policies: {
    policy: {
      'policy-type': 'sts';
      'policy-string': string[];
      'policy-domain': string;
      'mx-host'?: string[];
    };
    summary: Record<string, number>;
    'failure-details': (Json & { 'result-type': TlsFailureType; 'failed-session-count': number })[];
  }[];
}

const sampleOf = (name: string): Sample =>
  JSON.parse(readFileSync(new URL(`../../testdata/reports/tlsrpt/${name}`, import.meta.url), 'utf8'));

/** What somebody else's report says, as we would have counted it. */
const tallyOf = ({ policies }: Sample): DomainTally => ({
  policies: policies.map(({ policy, summary, 'failure-details': details }) => ({
    policy: {
      type: policy['policy-type'],
      domain: policy['policy-domain'],
      strings: policy['policy-string'],
      mxHosts: policy['mx-host'] ?? [],
    },
    successes: summary['total-successful-session-count'] ?? 0,
    failures: summary['total-failure-session-count'] ?? 0,
    details: details.map((each) => ({
      type: each['result-type'],
      count: each['failed-session-count'],
      ...(each['sending-mta-ip'] && { sendingAddress: each['sending-mta-ip'] }),
      ...(each['receiving-mx-hostname'] && { host: each['receiving-mx-hostname'] }),
      ...(each['receiving-ip'] && { address: each['receiving-ip'] }),
      ...(each['failure-reason-code'] && { reason: each['failure-reason-code'] }),
    })),
  })),
});

test.each([
  ['rpt01.json', '2016-04-01'],
  ['rpt02.json', '2020-01-01'],
])('suite report: tlsReport() writes what %s says as it stands there', (name, day) => {
  const sample = sampleOf(name);
  const report = tlsReport({
    organization: sample['organization-name'],
    contact: sample['contact-info'],
    reportId: sample['report-id'],
    day,
    tally: tallyOf(sample),
  });
  // A URI for more about a failure, which we have none of; and the second report is about a week.
  for (const { 'failure-details': details } of sample.policies)
    for (const each of details) delete each['additional-information'];
  sample['date-range']['end-datetime'] = `${day}T23:59:59Z`;
  expect(report).toEqual(sample);
});

test('tlsReport() leaves out what there is none of', () => {
  const policy = { type: 'no-policy-found', domain: 'example.net', strings: [], mxHosts: [] } as const;
  const tally = { policies: [{ policy, successes: 1, failures: 0, details: [] }] };
  const report = tlsReport({
    organization: 'A',
    contact: 'a@b.example',
    reportId: '1',
    day: '2026-01-05',
    tally,
  });
  expect(report.policies).toEqual([
    {
      policy: { 'policy-type': 'no-policy-found', 'policy-domain': 'example.net' },
      summary: { 'total-successful-session-count': 1, 'total-failure-session-count': 0 },
    },
  ]);
});

test('rangeOf() is the first and the last second of a UTC day', () => {
  expect(rangeOf('2022-09-15')).toEqual({ begin: 1_663_200_000, end: 1_663_286_399 });
});
