import { expect, test } from 'vitest';
import { parseHeader } from '../mail/header.ts';
import { isAutomatic, isReport } from './recognise.ts';

const fieldsOf = (header: string) => parseHeader(Buffer.from(`${header}\r\n\r\n`)).fields;

test.each([
  ['Content-Type: multipart/report; report-type=delivery-status; boundary=x', true, true],
  ['content-type: Multipart/Report;\r\n report-type=disposition-notification', true, true],
  ['Content-Type: multipart/reporter', false, false],
  ['Auto-Submitted: auto-generated', false, true],
  ['Auto-Submitted: auto-replied; owner-email="a@b"', false, true],
  ['Auto-Submitted: No (a person did)', false, false],
  ['Subject: Undelivered', false, false],
])('duty-7: isReport() and isAutomatic() know %j', (header, report, automatic) => {
  expect(isReport(fieldsOf(header))).toBe(report);
  expect(isAutomatic(fieldsOf(header))).toBe(automatic);
});
