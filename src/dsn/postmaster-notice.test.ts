import { describe, expect, it } from 'vitest';
import { fieldValue, findFields, parseHeader } from '../mail/header.ts';
import { composePostmasterNotice, type PostmasterNotice } from './postmaster-notice.ts';

const notice: PostmasterNotice = {
  hostname: 'mx.example.com',
  queueId: '01ARZ3NDEKTSV4',
  arrivedAt: 0,
  from: 'postmaster@example.com',
  postmaster: 'alice@example.com',
  sender: 'bob@example.com',
  failures: [
    {
      recipient: 'nobody@example.net',
      status: '5.7.1',
      reason: '550 5.7.1 Blocked',
      phase: 'sending end of data',
      rule: '5xx: not tried again',
      reply: { code: 550, enhanced: '5.7.1', lines: ['Blocked', 'See https://example.net/block'] },
      lastAttemptAt: 0,
    },
  ],
  now: 0,
  messageId: '<2@mx.example.com>',
};

describe('composePostmasterNotice()', () => {
  it('P8: tells the postmaster who, to whom, what was said and what to do', () => {
    const text = composePostmasterNotice(notice).toString();
    for (const line of [
      'from <bob@example.com>',
      '<nobody@example.net>',
      '      550-5.7.1 Blocked',
      '      550 5.7.1 See https://example.net/block',
      'The sender has been told.',
      '    posthorn trace 01ARZ3NDEKTSV4',
    ]) {
      expect(text.split('\r\n')).toContain(line);
    }
  });

  it('duty-7: is addressed to the postmaster and says that it is automatic', () => {
    const { fields, malformed } = parseHeader(composePostmasterNotice(notice));
    const value = (name: string) => findFields(fields, name).map(fieldValue).join('|');
    expect(value('to')).toBe('<alice@example.com>');
    expect(value('auto-submitted')).toBe('auto-generated');
    expect(value('subject')).toBe('Undelivered mail: 01ARZ3NDEKTSV4');
    expect(value('content-transfer-encoding')).toBe('7bit');
    expect(malformed).toBeUndefined();
  });

  it('says why nobody else is told', () => {
    const untold = 'there is none';
    expect(composePostmasterNotice({ ...notice, sender: '', untold }).toString()).toContain(
      'The sender is not told: there is none.',
    );
  });
});
