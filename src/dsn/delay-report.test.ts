import { describe, expect, it } from 'vitest';
import { composeDelayReport } from './delay-report.ts';
import type { DelayedRecipient } from './failure.ts';

const delay: DelayedRecipient = {
  recipient: 'full@example.net',
  status: '5.2.2',
  reason: '552 5.2.2 Mailbox full',
  phase: 'sending RCPT TO',
  rule: '5xx, but the mailbox is full',
  reply: { code: 552, enhanced: '5.2.2', lines: ['Mailbox full', 'Tell her'] },
  lastAttemptAt: 0,
  willRetryUntil: 86_400_000,
};

const compose = (delays: DelayedRecipient[]): string =>
  composeDelayReport({
    hostname: 'mx.example.com',
    queueId: 'Q1',
    arrivedAt: 0,
    from: 'postmaster@example.com',
    sender: 'bob@example.com',
    delays,
    header: Buffer.from('Subject: Lunch\r\n\r\n'),
    now: 0,
    messageId: '<2@mx.example.com>',
  }).toString();

describe('composeDelayReport()', () => {
  it('tells people that it is tried again, until when, all that was said, and what to do', () => {
    const text = compose([delay]);
    expect(text).toContain('Subject: Delayed: your message to full@example.net\r\n');
    for (const line of [
      'could not be delivered yet to this recipient.',
      'It is tried again, and you need not send it again:',
      '      552-5.2.2 Mailbox full',
      '      552 5.2.2 Tell her',
      '  Tried again until: Fri, 02 Jan 1970 00:00:00 +0000',
    ])
      expect(text.split('\r\n')).toContain(line);
    expect(text).not.toContain('not tried again');
    expect(text).not.toContain('within a day');
  });

  it('tells programs the same (RFC 3464 §2.3.3, §2.3.9)', () => {
    const text = compose([delay]);
    expect(text).toContain(
      '\r\nFinal-Recipient: rfc822;full@example.net\r\nAction: delayed\r\nStatus: 5.2.2\r\n',
    );
    expect(text).toContain('\r\nWill-Retry-Until: Fri, 02 Jan 1970 00:00:00 +0000\r\n');
  });

  it('M6: says of a refusal that often heals that this is why', () => {
    expect(compose([{ ...delay, mayHeal: true }])).toContain('often change within a day');
  });

  it('tells of several recipients', () => {
    const text = compose([delay, { ...delay, recipient: 'other@example.net' }]);
    expect(text).toContain('these recipients');
    expect(text.match(/^Will-Retry-Until/gm)).toHaveLength(2);
  });
});
