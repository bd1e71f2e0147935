/** Reports that others send: their parts, archives, XML and JSON, and what small parsers read in them. */

import { gzipSync } from 'node:zlib';
import { readAggregateReport } from '../../src/dmarc-rpt/read.ts';
import { writeAggregateReport } from '../../src/dmarc-rpt/write.ts';
import { decodeBody } from '../../src/mail/decode-body.ts';
import { unstructuredText } from '../../src/mail/encoded-words.ts';
import { messageIdsOf } from '../../src/mail/message-ids.ts';
import { parseDate } from '../../src/mail/parse-date.ts';
import { defaultPartLimits, partsOf } from '../../src/mail/parts.ts';
import { readReport } from '../../src/reporting/inbox/read-report.ts';
import { readTlsReport, TlsReportError } from '../../src/tls-rpt/read.ts';
import { UnpackError, unpack } from '../../src/util/unpack.ts';
import { parseXml, type XmlElement, XmlError } from '../../src/util/xml.ts';
import { octetsOf, readOctets, readTestdata, textsIn } from '../corpus.ts';
import { message } from '../grammar/messages.ts';
import { between, demand, demandSame, type Target } from './target.ts';

/** What is wrong with the input is an answer. */
function orRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof XmlError || error instanceof UnpackError || error instanceof TlsReportError)
      return undefined;
    throw error;
  }
}

const samples = ['001', '002', '003', '004', '005'].map((name) => `reports/dmarc-feedback/${name}.xml`);

function checkElement({ name, children, text }: XmlElement, depth = 0): void {
  demand(depth < 30, 'elements lie too deep');
  demand(name !== '' && !/[\s<>&]/.test(name), 'an element has no name');
  demand(typeof text === 'string', 'an element has no text');
  for (const child of children) checkElement(child, depth + 1);
}

const xml: Target = {
  name: 'xml',
  seeds: () => [...samples.map(readOctets), ...octetsOf(['<a b="&#65;"><![CDATA[x]]><!-- y -->&amp;</a>'])],
  read: (input) => orRefused(() => parseXml(input)),
  check(input) {
    const root = orRefused(() => parseXml(input));
    if (root !== undefined) checkElement(root);
  },
  places: [
    between('<a>', '</a>'),
    between('<a '),
    between('<a b="'),
    between('<'),
    between('<a>&'),
    between('<!--'),
  ],
};

const aggregateReport: Target = {
  name: 'dmarc-report',
  seeds: () => samples.map(readOctets),
  read: (input) => orRefused(() => readAggregateReport(input)),
  check(input) {
    const report = orRefused(() => readAggregateReport(input));
    if (report === undefined) return;
    const { leftOut: _, ...kept } = report;
    const written = Buffer.from(writeAggregateReport({ ...kept, generator: 'a test' }));
    const again = readAggregateReport(written);
    demand(again.records.length === kept.records.length, 'what was read is not what is written');
    for (const [index, { count, source }] of again.records.entries()) {
      demand(Number.isSafeInteger(count) && count >= 0, 'a count is none');
      demandSame(
        'a record that is written',
        [source, count],
        [kept.records[index]?.source, kept.records[index]?.count],
      );
    }
  },
  places: [between('<feedback><record>', '</record></feedback>')],
};

const tlsReports = ['rpt01', 'rpt02', 'rpt03'].map((name) => `reports/tlsrpt/${name}.json`);

const receivedTlsReport: Target = {
  name: 'tls-report',
  seeds: () => tlsReports.map(readOctets),
  read: (input) => orRefused(() => readTlsReport(input)),
  check(input) {
    const report = orRefused(() => readTlsReport(input));
    for (const { successes, failures } of report?.policies ?? [])
      demand(successes >= 0 && failures >= 0, 'a count is negative');
  },
  places: [between('{"policies":', '}'), between('"')],
};

const limit = 100_000;

const archive: Target = {
  name: 'archive',
  seeds() {
    const zipped =
      readOctets('reports/dmarc-feedback/100.eml').toString('latin1').split('\r\n\r\n').at(-1) ?? '';
    return [
      decodeBody(Buffer.from(zipped), 'base64') ?? Buffer.of(),
      gzipSync('<a/>'),
      gzipSync(Buffer.alloc(2 * limit)),
    ];
  },
  read: (input) => orRefused(() => unpack(input, limit, /\.xml$/)),
  check(input) {
    const found = orRefused(() => unpack(input, limit, /\.xml$/));
    demand(
      found === undefined || found === input || found.length <= limit,
      'more is unpacked than is allowed',
    );
  },
};

const mails = [
  'reports/arf/001.eml',
  'reports/arf/002.eml',
  'reports/arf/005.eml',
  'reports/dmarc-feedback/101.eml',
  'reports/tlsrpt/rpt02.eml',
];

const reportMail: Target = {
  name: 'report-mail',
  seeds: () => mails.map(readOctets),
  generate: (random) => Buffer.from(message(random), 'latin1'),
  read: (input) => readReport(input, 'cfbl-feedback-id'),
  check(input) {
    const { entities } = partsOf(input);
    demand(entities.length <= defaultPartLimits.parts, 'there are too many parts');
    for (const { span, body } of entities)
      demand(
        0 <= span.start && span.start <= body.start && body.start <= body.end && body.end <= input.length,
        'a part lies outside of the message',
      );
    // It survives its way between the threads and into the store.
    JSON.parse(JSON.stringify(readReport(input, 'cfbl-feedback-id')));
  },
  places: [
    between('Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n', '\r\n--b--'),
    between('Content-Type: multipart/mixed; boundary='),
    between('Content-Type: message/feedback-report\r\n\r\nSource-IP: '),
    between('Content-Type: message/feedback-report\r\n\r\nArrival-Date: '),
  ],
};

const words: Target = {
  name: 'dates-and-words',
  seeds: () =>
    octetsOf([
      ...textsIn(readTestdata('mime/date.json'), 'header'),
      ...textsIn(readTestdata('mime/unstructured.json'), 'header'),
      ...textsIn(readTestdata('mime/id.json'), 'header'),
    ]),
  read(input) {
    const text = input.toString('latin1');
    const raw = Buffer.concat([Buffer.from('Subject: '), input]);
    return [parseDate(text), messageIdsOf(text), unstructuredText({ name: 'subject', raw })];
  },
  check(input) {
    const at = parseDate(input.toString('latin1'));
    demand(at === undefined || Number.isSafeInteger(at), 'a date is no number');
  },
  places: [between('=?utf-8?q?'), between('(', ') 1 Jan 2026 10:00'), between('1 Jan '), between('<')],
};

export const reports: readonly Target[] = [
  xml,
  aggregateReport,
  receivedTlsReport,
  archive,
  reportMail,
  words,
];
