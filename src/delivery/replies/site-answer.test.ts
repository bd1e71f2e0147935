import { describe, expect, test } from 'vitest';
import { reply as replyOf } from '../../smtp/reply.ts';
import { sampleJob } from '../../testing/store.ts';
import type { Outcome } from '../outcome.ts';
import { notTried, siteAnswer } from './site-answer.ts';

const deferred = (changes: object): Outcome => ({
  kind: 'deferred',
  status: '4.4.1',
  phase: 'connecting',
  reason: 'connect ECONNREFUSED',
  rule: 'no answer: try again later',
  ...changes,
});
const reply = { code: 451, lines: ['later'] };

describe('siteAnswer()', () => {
  test.each([
    ['a connection that was refused', [deferred({})]],
    ['DNS that does not answer', [deferred({ status: '4.4.3', phase: 'looking up MX of example.net' })]],
    [
      'a login that was refused',
      [deferred({ phase: 'authenticating', reply: { code: 535, lines: ['no'] } })],
    ],
    ['a program that is not there', [deferred({ phase: 'starting the command' })]],
    ['a handshake that failed', [deferred({ status: '4.7.5', phase: 'negotiating TLS' })]],
  ])('P7: of %s tells why the site was not reached', (_, outcomes) => {
    expect(siteAnswer(outcomes, 1000)).toMatchObject({ at: 1000, reason: 'connect ECONNREFUSED' });
  });

  test.each([
    ['delivery', [{ kind: 'delivered' } as const]],
    ['delivery to one of two', [deferred({}), { kind: 'delivered' } as const]],
    ['a greeting that turns us away', [deferred({ phase: 'waiting for the greeting', reply })]],
    ['a message that the receiver hangs on', [deferred({ phase: 'sending the message' })]],
    ['a TLS policy that is not met', [deferred({ phase: 'comparing TLS with what its policy demands' })]],
    ['a TLS policy that allows no host', [deferred({ phase: 'finding the TLS policy of example.net' })]],
    ['our own stop', [deferred({ status: '4.3.2' })]],
    ['a full disk of ours', [deferred({ status: '4.3.1', phase: 'writing to the mailbox' })]],
  ])('takes the site for reached after %s', (_, outcomes) => {
    expect(siteAnswer(outcomes, 1000)).toBe('reached');
  });
});

test('P9: who is not tried since TLS failed there waits for the same moment', () => {
  const cause = siteAnswer([deferred({ phase: 'negotiating TLS', clearTextFrom: 5000 })], 1000);
  expect(cause).toMatchObject({ kind: 'down', clearTextFrom: 5000 });
  if (cause === undefined || cause === 'reached') throw new Error('nothing was found out');
  expect(notTried([sampleJob('Q1')], cause).outcomes).toMatchObject([{ clearTextFrom: 5000 }]);
});

test('siteAnswer() of what is our own affair says nothing of the site', () => {
  expect(
    siteAnswer([deferred({ phase: 'choosing an address of ours', isOurs: true })], 1000),
  ).toBeUndefined();
});

test('P7: siteAnswer() of one of many names behind a site takes what DNS or TLS says for its own affair', () => {
  for (const [phase, expected] of [
    ['connecting', { kind: 'down' }],
    ['negotiating TLS', 'reached'],
    ['looking up the hosts of example.net', 'reached'],
  ] as const)
    expect(siteAnswer([deferred({ phase })], 1000, true)).toEqual(
      typeof expected === 'string' ? expected : expect.objectContaining(expected),
    );
});

describe('siteAnswer() of a refusal of the pace', () => {
  const said = (code: number, enhanced: string, text: string, phase = 'sending MAIL FROM') =>
    deferred({ phase, status: enhanced || '4.3.2', reason: text, reply: replyOf(code, enhanced, text) });

  test.each([
    // As the receivers' own pages have them; the ones of Gmail: support.google.com/a/answer/3221692
    [421, '4.7.28', 'Gmail has detected an unusual rate of unsolicited mail', 'waiting for the greeting'],
    [421, '4.7.0', 'Try again later, closing connection.', 'sending EHLO'],
    [421, '4.7.0', '[TSS04] Messages from x temporarily deferred due to unexpected volume', undefined], // Yahoo
    [451, '4.7.500', 'Server busy. Please try again later from [x].', undefined], // Microsoft
    [
      451,
      '4.7.650',
      'The mail server [x] has been temporarily rate limited due to IP reputation.',
      undefined,
    ],
    [421, '4.3.2', 'The maximum number of concurrent connections has exceeded a limit', undefined], // Exchange
    [450, '4.7.1', 'Error: too many connections from your IP (rate controlled)', 'sending RCPT TO'],
    [421, '', 'Too many concurrent SMTP connections; please try again later', 'waiting for the greeting'],
    [450, '4.7.0', 'Temporarily rejected', 'sending MAIL FROM'],
    [450, '4.7.1', 'Client host rejected: cannot find your hostname, [x]', 'sending RCPT TO'],
    [451, '4.7.1', 'Your address is listed at bl.example', 'sending RCPT TO'],
    [451, '4.7.1', 'Ratelimit "to_ip_from" exceeded', 'sending end of data'], // rspamd
  ])('P7: %i %s %s: the site is slowed down', (code, enhanced, text, phase) => {
    expect(siteAnswer([said(code, enhanced, text, phase)], 1000)).toMatchObject({ kind: 'busy', at: 1000 });
  });

  test.each([
    [451, '4.7.1', 'Greylisting in action, please come back in 00:04:59'],
    [450, '4.2.0', '<a@b>: Recipient address rejected: Greylisted'],
    [450, '4.2.1', 'The user you are trying to contact is receiving mail at a rate that prevents more'],
    [452, '4.5.3', 'Too many recipients'],
    [421, '', 'Max message per connection reached, closing transmission channel'], // Yahoo: the next one is welcome
    [451, '4.3.0', 'Local error in processing'],
    [451, '4.7.24', 'SPF could not be checked'],
    [451, '4.7.1', 'Try again later'], // greylisting, rspamd
  ])('P7: %i %s %s is about one message, mailbox or connection: the site goes on', (code, enhanced, text) => {
    expect(siteAnswer([said(code, enhanced, text, 'sending RCPT TO')], 1000)).toBe('reached');
  });

  test('P7: counts also where a part of the message has arrived', () => {
    const busy = said(421, '4.7.28', 'unusual rate, try again in 20 minutes', 'sending RCPT TO');
    expect(siteAnswer([{ kind: 'delivered' }, busy], 1000)).toMatchObject({ kind: 'busy', waitMs: 1200_000 });
  });
});

test('notTried() gives each recipient the reason of the attempt before, and says when that was', () => {
  const cause = {
    kind: 'down' as const,
    at: 0,
    status: '4.4.1',
    phase: 'connecting',
    reason: 'connect ECONNREFUSED',
  };
  const { outcomes, events } = notTried([sampleJob('Q1'), sampleJob('Q1', { number: 1 })], cause);
  const { kind: _, at, ...told } = cause;
  const rule = `the site was not reached at ${new Date(at).toISOString()}: not tried, later again`;
  expect(outcomes).toEqual([1, 2].map(() => ({ kind: 'deferred', ...told, rule })));
  expect(events).toEqual([]);
  const busy = notTried([sampleJob('Q1')], { ...cause, kind: 'busy' });
  expect(busy.outcomes).toMatchObject([{ rule: expect.stringContaining('asked us to slow down at 1970') }]);
  const full = notTried([sampleJob('Q1')], { ...cause, kind: 'full' });
  expect(full.outcomes).toMatchObject([{ rule: expect.stringContaining('had a full line at 1970') }]);
});
