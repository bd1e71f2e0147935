import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { fieldValue, parseHeader } from './header.ts';
import { type Received, receivedField, receivedProtocol } from './received.ts';

const inbound: Received = {
  client: { helo: 'mx.example.net', address: '192.0.2.1', reverseName: 'out.example.net' },
  by: 'mx.example.com',
  protocol: 'ESMTPS',
  tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
  queueId: '01ARZ3NDEKTSV4',
  recipient: 'bob@example.com',
  date: 0,
};

const { client: _client, ...submission } = inbound;

describe('receivedField()', () => {
  it('P4: says from whom, by whom, how, when, in lines of at most 78', () => {
    const field = receivedField(inbound);
    expect(field).toBe(
      'Received: from mx.example.net (out.example.net [192.0.2.1]) by mx.example.com\r\n' +
        '\twith ESMTPS (TLSv1.3 TLS_AES_256_GCM_SHA384) id 01ARZ3NDEKTSV4\r\n' +
        '\tfor <bob@example.com>; Thu, 01 Jan 1970 00:00:00 +0000\r\n',
    );
  });

  it('names an IPv6 client without a reverse name', () => {
    const field = receivedField({
      ...inbound,
      client: { helo: '[IPv6:2001:db8::1]', address: '2001:db8::1' },
    });
    expect(field).toContain('from [IPv6:2001:db8::1] ([IPv6:2001:db8::1]) by');
  });

  it('duty-4: leaves out a submitter, HELO name and all', () => {
    expect(receivedField(submission)).toMatch(/^Received: by mx\.example\.com with/);
  });

  it('duty-4: names a recipient only where it is told one', () => {
    const { recipient: _recipient, ...several } = inbound;
    expect(receivedField(several)).not.toContain('for');
    expect(receivedField(several)).toContain('id 01ARZ3NDEKTSV4;');
  });

  it('names a UTF-8 recipient only in a UTF-8 header', () => {
    const recipient = 'jürgen@example.com';
    expect(receivedField({ ...inbound, recipient })).not.toContain('for');
    expect(receivedField({ ...inbound, recipient, protocol: 'UTF8SMTPS' })).toContain(`for <${recipient}>`);
  });

  it('makes hostile names harmless', () => {
    const helo = 'x)\r\nBcc: y (\0ü"\\';
    const field = receivedField({
      ...inbound,
      client: { helo, address: '192.0.2.1', reverseName: 'a)b\nc' },
    });
    expect(field).toContain('from x???Bcc:?y?????? (a?b?c [192.0.2.1])');
  });

  it('is one field in lines below 998, whatever the client said', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 600 }),
        fc.string({ maxLength: 600 }),
        (helo, reverseName) => {
          const field = receivedField({ ...inbound, client: { helo, address: '192.0.2.1', reverseName } });
          const { fields, malformed } = parseHeader(Buffer.from(field));
          expect([fields.length, fields[0]?.name, malformed]).toEqual([1, 'received', undefined]);
          expect(field).toMatch(/^[\x20-\x7e\t\r\n]*$/);
          expect(Math.max(...field.split('\r\n').map(({ length }) => length))).toBeLessThan(998);
          const value = fields.map(fieldValue).join().replaceAll('\t', ' ');
          expect(value).toMatch(/ by mx\.example\.com with ESMTPS .*; Thu, 01 Jan 1970/);
        },
      ),
    );
  });
});

test.each([
  [{ extended: false, tls: true, authenticated: false, smtputf8: false }, 'SMTP'],
  [{ extended: true, tls: false, authenticated: false, smtputf8: false }, 'ESMTP'],
  [{ extended: true, tls: true, authenticated: true, smtputf8: false }, 'ESMTPSA'],
  [{ extended: true, tls: true, authenticated: false, smtputf8: true }, 'UTF8SMTPS'],
] as const)('receivedProtocol() names %j', (how, name) => {
  expect(receivedProtocol(how)).toBe(name);
});
