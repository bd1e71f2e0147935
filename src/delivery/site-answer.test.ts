import { describe, expect, test } from 'vitest';
import { sampleJob } from '../testing/store.ts';
import type { Outcome } from './outcome.ts';
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
    ['a handshake that failed', [deferred({ status: '4.7.5', phase: 'negotiating TLS' })]],
  ])('P7: of %s tells why the site was not reached', (_, outcomes) => {
    expect(siteAnswer(outcomes, 1000)).toMatchObject({ at: 1000, reason: 'connect ECONNREFUSED' });
  });

  test.each([
    ['delivery', [{ kind: 'delivered' } as const]],
    ['delivery to one of two', [deferred({}), { kind: 'delivered' } as const]],
    ['a greeting that turns us away', [deferred({ phase: 'waiting for the greeting', reply })]],
    ['a message that the receiver hangs on', [deferred({ phase: 'sending the message' })]],
    ['our own stop', [deferred({ status: '4.3.2' })]],
    ['a full disk of ours', [deferred({ status: '4.3.1', phase: 'writing to the mailbox' })]],
  ])('takes the site for reached after %s', (_, outcomes) => {
    expect(siteAnswer(outcomes, 1000)).toBe('reached');
  });
});

test('notTried() gives each recipient the reason of the attempt before, and says when that was', () => {
  const cause = { at: 0, status: '4.4.1', phase: 'connecting', reason: 'connect ECONNREFUSED' };
  const { outcomes, events } = notTried([sampleJob('Q1'), sampleJob('Q1', { number: 1 })], cause);
  const { at, ...told } = cause;
  const rule = `the site was not reached at ${new Date(at).toISOString()}: not tried, later again`;
  expect(outcomes).toEqual([1, 2].map(() => ({ kind: 'deferred', ...told, rule })));
  expect(events).toEqual([]);
});
