import { expect, test } from 'vitest';
import { parseHeader } from '../mail/header.ts';
import { isDeliveryReport } from './recognise.ts';

const fieldsOf = (header: string) => parseHeader(Buffer.from(`${header}\r\n\r\n`)).fields;

test.each([
  ['Content-Type: multipart/report; report-type=delivery-status; boundary=x', true],
  ['content-type: Multipart/Report;\r\n boundary="x";\r\n Report-Type="Delivery-Status"', true],
  ['Content-Type: multipart/report; report-type=disposition-notification', false],
  ['Content-Type: multipart/report; report-type=feedback-report', false],
  ['Content-Type: multipart/report; boundary=delivery-status', false],
  ['Content-Type: multipart/reporter; report-type=delivery-status', false],
  ['Content-Type: message/delivery-status', false],
  ['Subject: Undelivered', false],
])('duty-7: isDeliveryReport() knows %j', (header, expected) => {
  expect(isDeliveryReport(fieldsOf(header))).toBe(expected);
});
