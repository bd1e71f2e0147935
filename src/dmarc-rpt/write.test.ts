import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readAggregateReport } from './read.ts';
import type { AggregateRecord } from './report.ts';
import { type WrittenReport, writeAggregateReport } from './write.ts';

const record: AggregateRecord = {
  source: '2001:db8::1',
  count: 3,
  disposition: 'quarantine',
  dkimAligned: false,
  spfAligned: false,
  reasons: [{ type: 'trusted_forwarder', comment: 'arc=pass' }, { type: 'local_policy' }],
  headerFrom: 'mail.a.example',
  envelopeFrom: '',
  dkim: [{ domain: 'b.example', selector: 's', result: 'pass' }],
  spf: [{ domain: 'b.example', scope: 'mfrom', result: 'softfail' }],
};

const report: WrittenReport = {
  organization: 'Bücher & Söhne <"x">',
  email: 'postmaster@b.example',
  reportId: '0ABC',
  beginsAt: Date.UTC(2026, 10, 27),
  endsAt: Date.UTC(2026, 10, 28) - 1000,
  policy: {
    domain: 'a.example',
    p: 'reject',
    sp: 'none',
    np: 'quarantine',
    adkim: 's',
    aspf: 'r',
    testing: true,
  },
  errors: ['two records'],
  generator: 'Posthorn',
  records: [record, { ...record, source: '192.0.2.1', dkim: [], reasons: [] }],
};

test('writeAggregateReport() writes what readAggregateReport() reads', () => {
  const { generator: _, ...expected } = report;
  expect(readAggregateReport(Buffer.from(writeAggregateReport(report)))).toEqual(expected);
});

test('writeAggregateReport() puts the elements in the order of the schema', () => {
  const xml = writeAggregateReport(report);
  expect(xml).toMatch(
    /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2\.0">\n {2}<version>1\.0<\/version>\n {2}<report_metadata>/,
  );
  expect([...xml.matchAll(/^ {2}<(\w+)>/gm)].map(([, name]) => name)).toEqual([
    'version',
    'report_metadata',
    'policy_published',
    'record',
    'record',
  ]);
  expect(xml).toContain('<org_name>Bücher &amp; Söhne &lt;"x"&gt;</org_name>');
});

test('writeAggregateReport() is XML, whatever a stranger has called himself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      const xml = writeAggregateReport({
        ...report,
        records: [{ ...record, dkim: [{ domain: text, selector: text, result: 'fail' }] }],
      });
      expect(readAggregateReport(Buffer.from(xml)).records).toHaveLength(1);
    }),
    { numRuns: 50 },
  );
});
