import { describe, expect, test } from 'vitest';
import type { Phase } from '../../smtp/client-verdict.ts';
import { reply } from '../../smtp/reply.ts';
import { failureRules, findFailureRule } from './failure-rules.ts';
import { meaningOf } from './reply-meaning.ts';

const [ipv4, ipv6] = ['192.0.2.1', '2001:db8::1'];

interface Sample {
  phase?: Phase;
  over?: string;
  code: number;
  enhanced?: string;
  text: string;
  /** What decides; final where nothing is said. */
  action?: 'heals' | 'IPv4';
}

/** At least one refusal for each line of the table, in its order, as receivers word it. */
const samples: Record<string, Sample[]> = {
  'our reputation, or a block list': [
    { over: ipv6, code: 550, enhanced: '5.7.1', text: 'IPv6 host without PTR, listed at bl.example' },
    {
      code: 554,
      enhanced: '5.7.1',
      text: 'Service unavailable; blocked using zen.spamhaus.org; try again later',
    },
    { over: ipv6, code: 550, enhanced: '5.7.25', text: 'low reputation of your address' },
  ],
  'the content': [
    { code: 550, enhanced: '5.7.1', text: 'This message looks like spam. Please try again later' },
    { over: ipv6, code: 554, enhanced: '5.7.26', text: 'unsolicited mail' },
  ],
  'our IPv6 address has no reverse name, or is not authorised': [
    {
      over: ipv6,
      code: 550,
      enhanced: '5.7.1',
      text: '[2001:db8::2] Gmail has detected that this message does not meet IPv6 sending guidelines regarding PTR records and authentication. For more information, go to https://support.google.com/mail/?p=IPv6AuthError',
      action: 'IPv4',
    },
    {
      over: ipv6,
      code: 450,
      enhanced: '4.7.26',
      text: 'Access denied, a message sent over IPv6 [x] must pass either SPF or DKIM validation',
      action: 'IPv4',
    },
    { over: ipv4, code: 550, enhanced: '5.7.1', text: 'IPv6 sending guidelines regarding PTR records' },
  ],
  'our address has no confirmed reverse name': [
    { over: ipv6, code: 550, enhanced: '5.7.25', text: 'Client host rejected', action: 'IPv4' },
    { over: ipv4, code: 550, enhanced: '5.7.25', text: 'Client host rejected' },
  ],
  'our address has no reverse name': [
    {
      over: ipv6,
      code: 550,
      enhanced: '5.7.1',
      text: 'The IP address sending this message does not have a PTR record setup',
      action: 'IPv4',
    },
    { over: ipv6, code: 550, text: 'Client host rejected: cannot find your hostname, [x]', action: 'IPv4' },
  ],
  'our address is not authorised to send for this domain': [
    { over: ipv6, code: 550, enhanced: '5.7.23', text: 'SPF validation failed', action: 'IPv4' },
    {
      over: ipv6,
      code: 550,
      enhanced: '5.7.26',
      text: 'Multiple authentication checks failed',
      action: 'IPv4',
    },
    { over: ipv4, code: 550, enhanced: '5.7.23', text: 'SPF validation failed' },
  ],
  'the message is too large': [
    { code: 552, enhanced: '5.3.4', phase: 'sending RCPT TO', text: 'Message size exceeds fixed limit' },
    { code: 552, enhanced: '5.2.3', text: 'Message length exceeds storage allocation for this mailbox' },
  ],
  'no room for now: a 552 to RCPT means 452': [
    { code: 552, phase: 'sending RCPT TO', text: 'Too many recipients', action: 'heals' },
    { code: 552, phase: 'sending MAIL FROM', text: 'Too many recipients' },
  ],
  'the mailbox is full': [
    { code: 552, enhanced: '5.2.2', text: 'No.', action: 'heals' },
    { code: 550, enhanced: '5.2.2', text: '<a@b> No.', action: 'heals' },
    {
      code: 552,
      text: 'Requested mail action aborted: exceeded storage allocation',
      action: 'heals',
    },
    { code: 550, text: 'Mailbox is full / Blocks limit exceeded', action: 'heals' },
    { code: 550, text: 'The email account that you tried to reach is over quota.', action: 'heals' },
    { code: 554, text: 'Quota exceeded (mailbox for user is full)', action: 'heals' },
  ],
  'greylisting in disguise': [
    { code: 550, enhanced: '5.7.1', text: 'Recipient address rejected: Greylisted', action: 'heals' },
    { code: 554, text: 'Graylisted for 5 minutes', action: 'heals' },
  ],
  'it asks to be tried again: greylisting in disguise': [
    { code: 550, text: 'Unknown to us. Please try again later', action: 'heals' },
    { code: 554, text: 'Come back in 5 minutes', action: 'heals' },
  ],
};

describe('failureRules', () => {
  test.each(Object.entries(samples))('M6: P13: %s', (meaning, refusals) => {
    for (const {
      phase = 'sending end of data',
      over = ipv4,
      code,
      enhanced = '',
      text,
      action,
    } of refusals) {
      const rule = findFailureRule(phase, reply(code, enhanced, text), over);
      expect([text, rule?.action]).toEqual([text, action]);
      if (action !== undefined) expect(rule?.meaning).toBe(meaning);
    }
  });

  test('every line has a sample, and a source', () => {
    expect(new Set(failureRules.map(({ meaning }) => meaning))).toEqual(new Set(Object.keys(samples)));
    for (const { source } of failureRules) expect(source).not.toBe('');
  });

  test.each([
    [550, '5.1.1', 'No such user'],
    [550, '5.7.1', 'Relaying denied'],
    [550, '5.7.26', 'This mail is unauthenticated'],
    [553, '5.1.3', 'Bad address'],
    [554, '', 'Transaction failed'],
    [521, '5.3.2', 'No mail here'],
  ])('what no line knows is final: %i %s %s', (code, enhanced, text) => {
    expect(findFailureRule('sending RCPT TO', reply(code, enhanced, text), ipv4)).toBeUndefined();
  });

  test.each(['IPv6 ', 'exceeded limit ', 'no PTR', 'try again ', 'over quota '])(
    'takes no time over a megabyte of "%s"',
    (word) => {
      const hostile = reply(550, '5.7.1', word.repeat(1_000_000 / word.length));
      const began = performance.now();
      findFailureRule('sending RCPT TO', hostile, ipv6);
      meaningOf({ ...hostile, code: 450 });
      expect(performance.now() - began).toBeLessThan(100);
    },
  );

  test('a 4xx is only looked at for the address', () => {
    const full = reply(452, '4.2.2', 'Mailbox is full, try again later');
    expect(findFailureRule('sending RCPT TO', full, ipv6)).toBeUndefined();
  });
});
