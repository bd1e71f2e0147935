import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { fieldValue, findFields, findHeaderEnd, parseHeader } from '../mail/header.ts';
import { composeReportMail, reportFileName } from './message.ts';

const json = JSON.stringify({ 'report-id': '1M80', policies: [], filler: 'x'.repeat(500) });
const mail = {
  from: 'postmaster@google.com',
  to: 'tlsrpt@test.xmox.nl',
  submitter: 'google.com',
  domain: 'test.xmox.nl',
  day: '2022-09-15',
  reportId: '001',
  gzip: gzipSync(json),
  sessions: { successes: 10, failures: 2 },
  now: Date.UTC(2022, 8, 16, 3, 10),
  messageId: '<001@mx.google.com>',
};
const google = readFileSync(new URL('../../testdata/reports/mox-tlsreports/example.eml', import.meta.url));

const valueIn = (message: Buffer, name: string): string => {
  const [field] = findFields(parseHeader(message).fields, name.toLowerCase());
  return field === undefined ? '' : fieldValue(field).replace(/\s+/g, ' ');
};

test('composeReportMail() says in its header what Google does', () => {
  const content = composeReportMail(mail);
  for (const name of ['TLS-Report-Domain', 'TLS-Report-Submitter', 'To', 'MIME-Version'])
    expect([name, valueIn(content, name).replace(/[<>]/g, '')]).toEqual([name, valueIn(google, name)]);
  expect(valueIn(google, 'To')).not.toBe('');
  const subject = /^(Report Domain: \S+ Submitter: \S+ Report-ID: )<[^<>@]+@google\.com>$/;
  expect(subject.exec(valueIn(content, 'Subject'))?.[1]).toBe(subject.exec(valueIn(google, 'Subject'))?.[1]);
  expect(valueIn(content, 'Content-Type')).toMatch(/^multipart\/report; report-type="tlsrpt"; boundary="/);
  expect(valueIn(content, 'TLS-Required')).toBe('No');
});

test('composeReportMail() is text for people and the report for programs, with nothing that is not 7bit', () => {
  const content = composeReportMail(mail);
  const [, boundary = ''] = /boundary="([^"]+)"/.exec(valueIn(content, 'Content-Type')) ?? [];
  const body = content.subarray(findHeaderEnd(content)).toString('latin1');
  const [, text = '', attachment = '', end] = `\r\n${body}`.split(`\r\n--${boundary}`);
  expect(end).toBe('--\r\n');
  expect(text).toContain('on 2022-09-15 (UTC): 10 as they should be, 2 not.');
  expect(attachment).toContain('Content-Type: application/tlsrpt+gzip\r\n');
  const [, base64 = ''] = attachment.split('\r\n\r\n');
  expect(gunzipSync(Buffer.from(base64, 'base64')).toString()).toBe(json);
  for (const line of content.toString('latin1').split('\r\n')) expect(line).toMatch(/^[\t\x20-\x7e]{0,150}$/);
});

test('reportFileName() names the file as Google names its own', () => {
  const [, name] = /filename="([^"]+)"/.exec(google.toString('latin1')) ?? [];
  expect(reportFileName(mail)).toBe(name);
});
