import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readReportUris } from './record.ts';

const cases: Record<string, { text: string; valid: boolean }[]> = JSON.parse(
  readFileSync(new URL('../../testdata/tls-policies/mox.json', import.meta.url), 'utf8'),
);

test.each(cases['tlsrpt-record'] ?? [])('suite report: TLS record $text', ({ text, valid }) => {
  expect(readReportUris([text]).length > 0).toBe(valid);
});

// The cases of mox's look-ups, by what they find in the zone.
test.each([
  ['basic', ['v=TLSRPTv1; rua=mailto:tlsrpt@basic.example'], 1],
  ['one', ['v=TLSRPTv1; rua=mailto:tlsrpt@basic.example', 'other'], 1],
  ['multiple', ['v=TLSRPTv1; rua=mailto:a@basic.example', 'v=TLSRPTv1; rua=mailto:a@basic.example'], 0],
  ['absent', [], 0],
  ['other', ['other'], 0],
  ['malformed', ['v=TLSRPTv1; bad'], 0],
])('suite report: TLS look-up of %s', (_, texts, count) => {
  expect(readReportUris(texts)).toHaveLength(count);
});

test('readReportUris() takes mail and HTTPS, and nothing where there is more than one record', () => {
  const text = 'v=TLSRPTv1; rua=mailto:tls@example.com,https://example.com/v1/report; rua=ftp://example.com/';
  expect(readReportUris([text])).toEqual(['mailto:tls@example.com', 'https://example.com/v1/report']);
  expect(readReportUris([text, text])).toEqual([]);
  expect(readReportUris(['something else', text])).toHaveLength(2);
});
