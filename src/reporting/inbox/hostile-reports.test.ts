import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readReport } from './read-report.ts';

/** A report as mail, the given octets attached. */
const mailWith = (type: string, octets: Buffer) =>
  Buffer.from(
    `Subject: Report Domain: a.example\r\nContent-Type: ${type}\r\nContent-Transfer-Encoding: base64\r\n\r\n${octets.toString('base64')}`,
  );

const small = (middle = '<count>1</count>') =>
  `<feedback><report_metadata><org_name>o</org_name><report_id>1</report_id><date_range><begin>1</begin><end>2</end></date_range></report_metadata><policy_published><domain>a.example</domain></policy_published><record><row><source_ip>192.0.2.1</source_ip>${middle}<policy_evaluated/></row></record></feedback>`;

describe('readReport() of hostile mail', () => {
  const problemOf = (octets: Buffer, type = 'application/gzip'): string => {
    const read = readReport(mailWith(type, octets), 'x-token');
    return read.kind === 'unreadable' ? read.problem : read.kind;
  };

  test('reads what the others are made from', () => {
    expect(problemOf(gzipSync(small()))).toBe('dmarc');
    expect(problemOf(Buffer.from(small()), 'text/xml')).toBe('dmarc');
  });

  test('unpacks no more of a bomb than its limit', () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(300_000);
    expect(problemOf(bomb)).toBe('unpacked it is larger than 20971520 octets');
  });

  test('expands no entity: a billion laughs cost nothing', () => {
    const laughs = Array.from({ length: 9 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join(
      '',
    );
    const xml = `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY l0 "ha">${laughs}]>${small()}`;
    expect(problemOf(gzipSync(xml))).toBe('it declares a document type or entities, which are not read');
    expect(problemOf(gzipSync(small('<count>&l9;</count>')))).toBe(
      'it uses an entity of its own, or a bare "&"',
    );
    const external = '<!DOCTYPE f SYSTEM "file:///etc/passwd">';
    expect(problemOf(gzipSync(external + small()))).toMatch(/document type/);
  });

  test.each([
    ['a negative count', small('<count>-5</count>'), '"-5" is no count of messages'],
    ['a count beyond all', small('<count>9999999999999</count>'), '"9999999999999" is no count of messages'],
    ['no count', small(''), 'its "row" has no "count"'],
    ['no address', small().replace('192.0.2.1', 'localhost'), '"localhost" is no IP address'],
    ['a period that ends first', small().replace('<begin>1', '<begin>3'), 'its period ends before it begins'],
    [
      'a time beyond all',
      small().replace('<end>2', '<end>999999999999'),
      '"999999999999" is no time of its period',
    ],
    [
      'a date for a time',
      small().replace('<end>2', '<end>2026-11-27'),
      '"2026-11-27" is no time of its period',
    ],
    ['no domain', small().replace('a.example', 'a b'), '"a b" is no domain'],
    ['another root', '<html></html>', 'it is a "html", not a "feedback"'],
    ['depth', `${'<a>'.repeat(100_000)}`, 'its elements lie more than 30 deep'],
    ['many elements', `<feedback>${'<a/>'.repeat(600_000)}</feedback>`, 'it has over 500000 elements'],
    ['attributes', `<feedback ${'a="" '.repeat(100_000)}/>`, 'an element has over 30 attributes'],
    ['a cut', small().replace('</feedback>', ''), 'the element "feedback" does not end'],
    ['no XML', 'text', 'the file in it is neither XML nor JSON'],
  ])('says what is wrong with %s', (_, xml, problem) => {
    expect(problemOf(gzipSync(xml))).toBe(problem);
  });

  test('keeps 5,000 records, and says that there were more', () => {
    const [record = ''] = /<record>.*<\/record>/.exec(small()) ?? [];
    const xml = small().replace(record, record.repeat(12_000));
    const read = readReport(mailWith('application/gzip', gzipSync(xml)), 'x-token');
    if (read.kind !== 'dmarc') throw new Error(JSON.stringify(read));
    expect([read.report.records.length, read.report.leftOut]).toEqual([5000, 7000]);
  });

  const tls = (changes: object) =>
    gzipSync(
      JSON.stringify({
        'report-id': '1',
        'date-range': { 'start-datetime': '2026-01-05T00:00:00Z', 'end-datetime': '2026-01-05T23:59:59Z' },
        ...changes,
      }),
    );

  test.each([
    ['10 MB of it', gzipSync(`[${'1,'.repeat(5_000_000)}1]`), 'the file in it is neither XML nor JSON'],
    ['a list of policies that is none', tls({ policies: 5 }), 'policies is no list'],
    ['depth', gzipSync(`{"a":${'['.repeat(100_000)}`), 'it is no JSON'],
    ['no date', tls({ 'date-range': { 'start-datetime': 'today' } }), 'start-datetime is no time'],
    ['no id', tls({ 'report-id': ' ' }), 'it has no report-id'],
    [
      'a negative count',
      tls({ policies: [{ summary: { 'total-failure-session-count': -1 } }] }),
      'total-failure-session-count is no count',
    ],
  ])('says what is wrong with JSON: %s', (_, octets, problem) => {
    expect(problemOf(octets, 'application/tlsrpt+gzip')).toBe(problem);
  });

  test('takes 10 MB of good JSON', () => {
    const policy = {
      policy: { 'policy-type': 'sts', 'policy-domain': 'a.example' },
      filler: 'x'.repeat(100),
    };
    const octets = tls({ policies: new Array(60_000).fill(policy) });
    const read = readReport(mailWith('application/tlsrpt+gzip', octets), 'x-token');
    if (read.kind !== 'tls') throw new Error(JSON.stringify(read));
    expect(read.report.policies).toHaveLength(100);
  });

  test('finds the report behind parts without number only up to its limit', () => {
    const part = '--b\r\n\r\nx\r\n';
    const report = `--b\r\nContent-Type: text/xml\r\n\r\n${small()}\r\n--b--`;
    const mail = (count: number) =>
      Buffer.from(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${part.repeat(count)}${report}`);
    expect(readReport(mail(100), 'x-token').kind).toBe('dmarc');
    expect(readReport(mail(100_000), 'x-token')).toEqual({
      kind: 'unreadable',
      problem: 'no part of it is a report, and it has more than 1000 parts',
    });
  });
});
