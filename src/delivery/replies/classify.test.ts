import { describe, expect, it } from 'vitest';
import { byConnection, byReply, type Phase } from '../../smtp/client-verdict.ts';
import { ConversationError, type ConversationFailure } from '../../smtp/conversation.ts';
import { reply } from '../../smtp/reply.ts';
import { DamagedContentError } from '../../store/errors.ts';
import { classify, classifyOpening } from './classify.ts';
import { siteAnswer } from './site-answer.ts';

const endpoint = { host: 'mx.example.net', address: '192.0.2.1', port: 25 };

function outcome(phase: Phase, code: number, enhanced = '') {
  const classified = classify(byReply(phase, reply(code, enhanced, 'text')), endpoint);
  return 'status' in classified ? `${classified.kind} ${classified.status}` : classified.kind;
}

describe('classify()', () => {
  it.each([
    ['sending end of data', 250, '2.0.0', 'delivered'],
    ['sending end of data', 451, '4.7.1', 'deferred 4.7.1'],
    ['sending end of data', 554, '5.7.1', 'failed 5.7.1'],
    ['sending RCPT TO', 550, '', 'failed 5.0.0'],
    ['sending RCPT TO', 552, '', 'failed 5.2.2'],
    ['sending RCPT TO', 450, '', 'deferred 4.2.0'],
    ['sending RCPT TO', 452, '', 'deferred 4.5.3'],
    ['sending MAIL FROM', 452, '', 'deferred 4.3.1'],
    ['sending MAIL FROM', 552, '', 'failed 5.3.4'],
    ['sending MAIL FROM', 599, '', 'failed 5.0.0'],
    ['sending MAIL FROM', 499, '', 'deferred 4.0.0'],
  ] as const)('%s: %i %s is %s', (phase, code, enhanced, expected) => {
    expect(outcome(phase, code, enhanced)).toBe(expected);
  });

  it.each([
    [550, 'No such user here', '5.1.1'],
    [550, 'no', '5.0.0'],
    [550, 'Rejected: 192.0.2.1 is on a block list', '5.0.0'],
    [551, 'user unknown', '5.1.1'],
    [551, 'not local', '5.1.6'],
  ])('takes a bare %i %s to RCPT for no more than it says', (code, text, status) => {
    const refused = classify(byReply('sending RCPT TO', reply(code, '', text)), endpoint);
    expect(refused).toMatchObject({ kind: 'failed', status });
  });

  it.each([
    ['sending DATA', 250],
    ['connecting', 354],
    ['sending end of data', 354],
  ] as const)('takes nothing but a 2xx to the final dot for delivered: %s, %i', (phase, code) => {
    expect(outcome(phase, code)).toMatch(/^deferred/);
  });

  it('P8: keeps the reply with all its lines', () => {
    const refusal = reply(550, '5.7.1', 'first', 'second');
    expect(classify(byReply('sending DATA', refusal), endpoint)).toMatchObject({
      kind: 'failed',
      reason: '550 5.7.1 first / second',
      reply: refusal,
      phase: 'sending DATA',
      endpoint,
    });
  });

  it.each<[ConversationFailure, string]>([
    ['connect', '4.4.1'],
    ['closed', '4.4.2'],
    ['timeout', '4.4.2'],
    ['tls', '4.7.5'],
    ['protocol', '4.5.0'],
    ['aborted', '4.3.2'],
    ['content', '4.3.0'],
  ])('not-5: a connection that fails (%s) is a deferral', (kind, status) => {
    const verdict = byConnection('sending MAIL FROM', new ConversationError(kind, 'broken'));
    const outcome = classify(verdict, endpoint);
    expect(outcome).toMatchObject({ kind: 'deferred', status, reason: 'broken' });
    expect('rule' in outcome && outcome.rule.startsWith('no answer')).toBe(kind === 'timeout');
  });

  it('says that it was an address of ours that could not be taken, not the receiver', () => {
    const cause = Object.assign(new Error('bind EADDRNOTAVAIL 192.0.2.1'), { syscall: 'bind' });
    const error = new ConversationError('connect', cause.message, { cause });
    const outcome = classify(byConnection('connecting', error), endpoint);
    expect(outcome).toMatchObject({ kind: 'deferred', status: '4.3.5', phase: 'taking our own address' });
    expect(siteAnswer([outcome], 0)).toBeUndefined();
  });

  it.each([
    [new DamagedContentError('has other octets'), true, /our own copy of the message is damaged/],
    [new Error('EMFILE'), false, /our own copy of the message cannot be read/],
  ])('says that it was our copy of the message, not the receiver: %s', (cause, copyIsDamaged, rule) => {
    const error = new ConversationError('content', 'Cannot read the message', { cause });
    const outcome = classify(byConnection('sending the message', error), endpoint);
    expect(outcome).toMatchObject({ kind: 'deferred', rule: expect.stringMatching(rule) });
    expect('copyIsDamaged' in outcome && outcome.copyIsDamaged).toBe(copyIsDamaged);
  });

  it('not-1: a connection that fails after the final dot leaves it in doubt', () => {
    const verdict = byConnection('sending end of data', new ConversationError('closed', 'broken'));
    expect(classify(verdict, endpoint)).toMatchObject({
      kind: 'inDoubt',
      phase: 'sending end of data: the message may be sent more than once',
    });
  });

  it('knows that a 421 to the final dot is a clear no', () => {
    const error = new ConversationError('closing', 'x', { reply: reply(421, '', 'busy') });
    expect(classify(byConnection('sending end of data', error), endpoint)).toMatchObject({
      kind: 'deferred',
    });
  });

  it('takes for final what the receiver cannot take', () => {
    const verdict = { by: 'extension', phase: 'sending EHLO', status: '5.3.4', reason: 'too big' } as const;
    expect(classify(verdict, endpoint)).toMatchObject({ kind: 'failed', status: '5.3.4', reason: 'too big' });
  });
});

describe('classifyOpening()', () => {
  it('defers where a host turns everybody away for good', () => {
    const verdict = byReply('waiting for the greeting', reply(554, '', 'no service'));
    expect(classifyOpening(verdict, endpoint)).toMatchObject({ kind: 'deferred', status: '4.0.0' });
  });
});

describe('classify() by permanentFailures', () => {
  const full = byReply('sending RCPT TO', reply(552, '5.2.2', 'Mailbox is full'));
  const unknown = byReply('sending RCPT TO', reply(550, '5.1.1', 'No such user'));
  const refusesIpv6 = byReply('sending end of data', reply(550, '5.7.25', 'no PTR'));
  const overIpv6 = { ...endpoint, address: '2001:db8::1' };

  it.each([
    ['strict', 'failed', undefined, /^5xx: given up/],
    ['careful', 'failed', 'heals', /the mailbox is full, which may heal/],
    ['never', 'deferred', undefined, /permanentFailures is "never"/],
  ] as const)('M6: %s: a full mailbox is %s (%s)', (policy, kind, remedy, rule) => {
    const outcome = classify(full, endpoint, policy);
    expect(outcome).toMatchObject({ kind, rule: expect.stringMatching(rule) });
    expect('remedy' in outcome ? outcome.remedy : undefined).toBe(remedy);
  });

  it.each([
    ['strict', 'failed'],
    ['careful', 'failed'],
    ['never', 'deferred'],
  ] as const)('M6: %s: an unknown user is %s, and heals by nothing', (policy, kind) => {
    const outcome = classify(unknown, endpoint, policy);
    expect(outcome.kind).toBe(kind);
    expect(outcome).not.toHaveProperty('remedy');
  });

  it.each([
    ['strict', undefined],
    ['careful', 'IPv4'],
    ['never', 'IPv4'],
  ] as const)('P13: %s: a complaint about our IPv6 address leads to %s', (policy, remedy) => {
    const outcome = classify(refusesIpv6, overIpv6, policy);
    expect('remedy' in outcome ? outcome.remedy : undefined).toBe(remedy);
    expect(classify(refusesIpv6, endpoint, policy)).not.toHaveProperty('remedy');
  });

  it('M6: never: a complaint about our IPv6 address is no failure either, where there is no IPv4', () => {
    expect(classify(refusesIpv6, overIpv6, 'never').kind).toBe('deferred');
    expect(classify(refusesIpv6, overIpv6, 'careful').kind).toBe('failed');
  });

  it('P13: a 4xx about our IPv6 address, too', () => {
    const verdict = byReply('sending end of data', reply(450, '4.7.25', 'no reverse DNS record'));
    expect(classify(verdict, overIpv6)).toMatchObject({ kind: 'deferred', remedy: 'IPv4' });
  });
});
