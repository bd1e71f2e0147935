import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseHeader } from '../mail/header.ts';
import { isDeliveryReport } from './recognise.ts';
import type { ReachedRecipient } from './success.ts';
import { composeSuccessReport } from './success-report.ts';

const reached: ReachedRecipient = {
  recipient: 'carol@example.net',
  action: 'relayed',
  endpoint: { host: 'mx.example.net', address: '192.0.2.1', port: 25 },
  reply: { code: 250, enhanced: '2.6.0', lines: ['Taken', 'as 1234'] },
  at: 60_000,
};

const compose = (...recipients: ReachedRecipient[]): string =>
  composeSuccessReport({
    hostname: 'mx.example.com',
    queueId: 'Q1',
    arrivedAt: 0,
    envid: 'QQ 1',
    sender: 'bob@example.com',
    from: 'postmaster@example.com',
    reached: recipients,
    header: Buffer.from('Subject: Lunch\r\nMessage-ID: <1@example.com>\r\n\r\nSecret'),
    now: 120_000,
    messageId: '<2@mx.example.com>',
  }).toString();

describe('composeSuccessReport()', () => {
  test('tells people and programs what became of each recipient (RFC 3464 §2.3)', () => {
    const report = compose(reached);
    expect(report).toMatch(/^Subject: On its way: your message to carol@example\.net\r$/m);
    expect(report).toContain(
      '<carol@example.net>: relayed\r\n  Server: mx.example.net [192.0.2.1], port 25\r\n',
    );
    expect(report).toContain(
      [
        'Original-Envelope-Id: QQ 1',
        'Reporting-MTA: dns; mx.example.com',
        'Arrival-Date: Thu, 01 Jan 1970 00:00:00 +0000',
        'X-Posthorn-Queue-ID: Q1',
        '',
        'Final-Recipient: rfc822;carol@example.net',
        'Action: relayed',
        'Status: 2.6.0',
        'Remote-MTA: dns; mx.example.net',
        'Diagnostic-Code: smtp; 250-2.6.0 Taken',
        ' 250 2.6.0 as 1234',
        'Last-Attempt-Date: Thu, 01 Jan 1970 00:01:00 +0000',
      ].join('\r\n'),
    );
    expect(report).not.toContain('Secret');
    expect(isDeliveryReport(parseHeader(Buffer.from(report)).fields)).toBe(true);
  });

  test('says "delivered" where it is in the mailbox, with the name that the sender gave first', () => {
    const orcpt = { type: 'rfc822', address: 'First@example.org' };
    const report = compose({ recipient: 'carol@example.com', action: 'delivered', at: 0, orcpt });
    expect(report).toMatch(/^Subject: Delivered: your message to carol@example\.com\r$/m);
    expect(report).toContain(
      'Original-Recipient: rfc822;First@example.org\r\nFinal-Recipient: rfc822;carol@',
    );
    expect(report).toContain('Action: delivered\r\nStatus: 2.0.0\r\n');
  });

  test('is ASCII in lines of at most 998 octets, whatever a server or a sender wrote', () => {
    const text = fc.string({ unit: 'binary', maxLength: 300 });
    fc.assert(
      fc.property(text, text, (words, address) => {
        const report = compose({
          ...reached,
          reply: { code: 250, lines: [words] },
          orcpt: { type: 'rfc822', address },
        });
        expect(report.split('\r\n').filter((line) => !/^[\t\x20-\x7e]{0,998}$/.test(line))).toEqual([]);
      }),
      { numRuns: 10 },
    );
  });
});
