import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { fieldValue, findFields, parseHeader } from '../mail/header.ts';
import type { FailedRecipient } from './failure.ts';
import { composeFailureReport, type FailureReport } from './failure-report.ts';
import { isDeliveryReport } from './recognise.ts';

const failure: FailedRecipient = {
  recipient: 'nobody@example.net',
  status: '5.1.1',
  reason: '550 5.1.1 No such user / Ask the postmaster',
  phase: 'sending RCPT TO',
  rule: '5xx: not tried again',
  endpoint: { host: 'mx.example.net', address: '192.0.2.1', port: 25 },
  reply: { code: 550, enhanced: '5.1.1', lines: ['No such user', 'Ask the postmaster'] },
  lastAttemptAt: 60_000,
};

const report: FailureReport = {
  hostname: 'mx.example.com',
  queueId: '01ARZ3NDEKTSV4',
  from: 'postmaster@example.com',
  sender: 'bob@example.com',
  arrivedAt: 0,
  failures: [failure],
  header: Buffer.from('Message-ID: <1@example.com>\r\nSubject: Lunch\r\n\r\nThe body'),
  now: 120_000,
  messageId: '<2@mx.example.com>',
};

/** A composed report, taken apart. */
function composed(more: Partial<FailureReport> = {}) {
  const content = composeFailureReport({ ...report, ...more }).toString();
  const { fields, bodyOffset } = parseHeader(Buffer.from(content));
  const value = (name: string) => findFields(fields, name).map(fieldValue).join('|');
  const boundary = /boundary="([^"]+)"/.exec(value('content-type'))?.[1] ?? 'none';
  const body = Buffer.from(content).toString('utf8', bodyOffset);
  const parts = body.split(`--${boundary}`).slice(1, -1);
  return { content, fields, value, parts: parts.map((part) => part.trimStart()) };
}

const one = (more: Partial<FailedRecipient>) => composed({ failures: [{ ...failure, ...more }] });

describe('composeFailureReport()', () => {
  it('P8: tells people the code and the text, all lines, of whom, when and while doing what', () => {
    expect(composed().parts[0]).toBe(
      [
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: 7bit',
        '',
        'This is the mail server mx.example.com.',
        '',
        'Your message of Thu, 01 Jan 1970 00:00:00 +0000',
        'with the subject "Lunch"',
        'could not be delivered to this recipient. It is not tried again:',
        '',
        '<nobody@example.net>',
        '  Server: mx.example.net [192.0.2.1], port 25',
        '  Time: Thu, 01 Jan 1970 00:01:00 +0000',
        '  While: naming the recipient (sending RCPT TO)',
        '  The answer was:',
        '      550-5.1.1 No such user',
        '      550 5.1.1 Ask the postmaster',
        '  Rule: 5xx: not tried again',
        '  Check the address for typing mistakes, and ask the recipient for the',
        '  right one.',
        '',
        'If you ask your postmaster, give the queue id 01ARZ3NDEKTSV4.',
        '\r\n',
      ].join('\r\n'),
    );
  });

  it('P8: tells programs the same (RFC 3464)', () => {
    expect(composed().parts[1]).toBe(
      [
        'Content-Type: message/delivery-status',
        'Content-Transfer-Encoding: 7bit',
        '',
        'Reporting-MTA: dns; mx.example.com',
        'Arrival-Date: Thu, 01 Jan 1970 00:00:00 +0000',
        'X-Posthorn-Queue-ID: 01ARZ3NDEKTSV4',
        '',
        'Final-Recipient: rfc822;nobody@example.net',
        'Action: failed',
        'Status: 5.1.1',
        'Remote-MTA: dns; mx.example.net',
        'Diagnostic-Code: smtp; 550-5.1.1 No such user',
        ' 550 5.1.1 Ask the postmaster',
        'Last-Attempt-Date: Thu, 01 Jan 1970 00:01:00 +0000',
        '\r\n',
      ].join('\r\n'),
    );
  });

  it('P8: gives the header back, and nothing of the body', () => {
    const { parts, content } = composed();
    expect(parts[2]).toBe(
      'Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: 7bit\r\n\r\n' +
        'Message-ID: <1@example.com>\r\nSubject: Lunch\r\n\r\n',
    );
    expect(content).not.toContain('The body');
  });

  it('P8: gives our own reason where no server answered', () => {
    const { reply: _reply, endpoint: _endpoint, ...unanswered } = failure;
    const reason = 'connection to mx.example.net [192.0.2.1] timed out';
    const { parts } = composed({ failures: [{ ...unanswered, status: '4.4.1', reason }] });
    expect(parts[0]).toContain(`  Reason: ${reason}\r\n`);
    expect(parts[1]).toContain(`Diagnostic-Code: x-posthorn; ${reason}\r\n`);
    expect(parts[1]).not.toContain('Remote-MTA');
  });

  it('P8: reports each recipient with a group of its own', () => {
    const { parts, value } = composed({ failures: [failure, { ...failure, recipient: 'x@example.org' }] });
    expect(parts[1]?.match(/^Final-Recipient: .*$/gm)).toHaveLength(2);
    expect(parts[1]?.split('\r\n\r\nFinal-Recipient')).toHaveLength(3);
    expect(value('subject')).toBe('Undelivered: your message to 2 recipients');
  });

  it('names what the sender wrote where an alias led elsewhere', () => {
    const { parts, value } = one({ originalRecipient: 'info@example.com' });
    expect(parts[0]).toContain('<nobody@example.net>\r\n  You wrote to: <info@example.com>\r\n');
    expect(parts[1]).toContain('\r\nX-Posthorn-Alias: rfc822;info@example.com\r\n');
    expect(value('subject')).toBe('Undelivered: your message to info@example.com');
  });

  it('duty-7: says that it is automatic, and about which message', () => {
    const { value, fields } = composed();
    expect(value('auto-submitted')).toBe('auto-replied');
    expect(value('from')).toBe('Mail Delivery System <postmaster@example.com>');
    expect(value('to')).toBe('<bob@example.com>');
    expect(value('date')).toBe('Thu, 01 Jan 1970 00:02:00 +0000');
    expect(value('message-id')).toBe('<2@mx.example.com>');
    expect(value('references')).toBe('<1@example.com>');
    expect(value('content-type')).toMatch(/^multipart\/report; report-type=delivery-status;/);
    expect(isDeliveryReport(fields)).toBe(true);
  });

  it('writes UTF-8 addresses as such, in a part of their own type (RFC 6533)', () => {
    const { parts } = one({ recipient: 'jürgen+x@example.net', originalRecipient: 'info@example.com' });
    const [head] = (parts[1] ?? '').split('\r\n\r\n', 1);
    expect(head).toBe(
      'Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: quoted-printable',
    );
    expect(parts[1]).toContain('Final-Recipient: utf-8;j=C3=BCrgen+x@example.net\r\n');
    expect(parts[1]).toContain('X-Posthorn-Alias: rfc822;info@example.com\r\n');
    expect(parts[0]).toContain('<j=C3=BCrgen+x@example.net>');
  });

  it('says plainly that a message may have arrived, and not that it has not', () => {
    const { parts, value } = one({ mayHaveArrived: true, status: '4.4.2' });
    expect(value('subject')).toBe('Perhaps undelivered: your message to nobody@example.net');
    expect(parts[0]).toContain('may have been delivered to this recipient, or it may not.');
    expect(parts[0]).toContain('Ask the recipient');
    expect(parts[0]).not.toContain('could not be delivered');
    expect(parts[1]).toContain('\r\nAction: failed\r\nStatus: 4.4.2\r\n');
  });

  test.each([
    ['UTF-8', Buffer.from('Subject: ü\n\n'), 'message/global-headers', 'Subject: =C3=BC\r\n'],
    [
      'another charset',
      Buffer.from('Subject: \xfc\r\n\r\n', 'latin1'),
      'text/rfc822-headers',
      'Subject: =FC\r\n',
    ],
    ['a line over 998', Buffer.from(`X: ${'x'.repeat(999)}\r\n\r\n`), 'text/rfc822-headers', 'X: xxxx'],
    ['nothing', Buffer.alloc(0), 'text/rfc822-headers', ''],
  ])('carries a header of %s', (_what, header, type, start) => {
    const [fields, content] = (composed({ header }).parts[2] ?? '').split('\r\n\r\n', 2);
    expect(fields).toContain(`Content-Type: ${type}\r\n`);
    expect(content?.startsWith(start.trimEnd())).toBe(true);
  });

  it('gives back a bounded part of an endless header', () => {
    const header = Buffer.from(`Subject: x\r\n${'X: y\r\n'.repeat(100_000)}\r\n`);
    expect(composed({ header }).content.length).toBeLessThan(40_000);
  });

  it('gives no reference to what is no Message-ID', () => {
    expect(composed({ header: Buffer.from('Message-ID: <a b>\r\n\r\n') }).value('references')).toBe('');
  });

  it('is a report of three parts in short 7-bit lines, whatever the others said', () => {
    const text = fc.string({ unit: 'binary', maxLength: 1500 });
    fc.assert(
      fc.property(text, text, text, (line, host, header) => {
        const reply = { code: 550, lines: [line, `${line}\r\n--x\r\nBcc: y`] };
        const hostile = {
          ...failure,
          reply,
          endpoint: { host, address: '192.0.2.1', port: 25 },
          reason: line,
        };
        const { content, parts, fields } = composed({
          failures: [hostile],
          header: Buffer.from(`Subject: ${header}`),
        });
        expect(content).toMatch(/^[\t\r\n\x20-\x7e]*$/);
        expect(content.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
        expect(Math.max(...content.split('\r\n').map(({ length }) => length))).toBeLessThanOrEqual(998);
        expect(parts).toHaveLength(3);
        expect(fields).toHaveLength(8);
      }),
      { numRuns: 50 },
    );
  });
});
