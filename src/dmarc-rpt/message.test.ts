import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { decodeBody } from '../mail/decode-body.ts';
import { fieldValue, findFields } from '../mail/header.ts';
import { partsOf } from '../mail/parts.ts';
import { composeAggregateMail } from './message.ts';

test('composeAggregateMail() is what RFC 9990 §3.5.3 wants', () => {
  const content = composeAggregateMail({
    from: 'postmaster@b.example',
    to: 'dmarc@a.example',
    submitter: 'b.example',
    domain: 'a.example',
    reportId: '0ABC',
    begin: 1_794_700_800,
    end: 1_794_787_199,
    day: '2026-11-27',
    messages: 5,
    gzip: gzipSync('<feedback/>'),
    now: Date.UTC(2026, 10, 28),
    messageId: '<0ABC@mx.b.example>',
  });
  const { entities } = partsOf(content);
  const [whole, text, attached] = entities;
  const fields = whole?.header.fields ?? [];
  const value = (name: string) => findFields(fields, name).map(fieldValue)[0]?.replace(/\s+/g, ' ');
  expect(value('subject')).toBe('Report Domain: a.example Submitter: b.example Report-ID: 0ABC');
  expect(value('auto-submitted')).toBe('auto-generated');
  expect(entities.map(({ type }) => `${type?.type}/${type?.subtype}`)).toEqual([
    'multipart/mixed',
    'text/plain',
    'application/gzip',
  ]);
  expect(content.toString('latin1', text?.body.start, text?.body.end)).toContain(
    'about 5 messages in the name of a.example',
  );
  expect(attached?.header.fields.map(fieldValue).join()).toContain(
    'filename="b.example!a.example!1794700800!1794787199!0ABC.xml.gz"',
  );
  const body = content.subarray(attached?.body.start, attached?.body.end);
  expect(gunzipSync(decodeBody(body, 'base64') ?? '').toString()).toBe('<feedback/>');
  for (const line of content.toString('latin1').split('\r\n')) expect(line).toMatch(/^[\t\x20-\x7e]{0,150}$/);
});
