import { describe, expect, test } from 'vitest';
import { siteAnswer } from '../delivery/replies/site-answer.ts';
import { reply } from '../smtp/reply.ts';
import { Receiver } from './receiver.ts';
import type { ReceiverScript } from './scenario.ts';

const minute = 60_000;
const plain: ReceiverScript = {
  domain: 'example.net',
  mx: ['mx.example.net'],
  queued: 0,
  perMinute: 0,
  arrivalsMs: 0,
  senders: 1,
  latencyMs: 1000,
  greylistMs: 0,
  phases: [],
};
const receiver = (changes: Partial<ReceiverScript> = {}) =>
  new Receiver({ ...plain, ...changes }, { startAt: 1000, random: () => 0.5, permanentFailures: 'careful' });
const begin = (of: Receiver, now = 1000, firstTriedAt?: number) => of.begin({ firstTriedAt }, now);
const during = (does: ReceiverScript['phases'][number]['does']) =>
  receiver({ phases: [{ fromMs: minute, untilMs: 2 * minute, does }] });

describe('Receiver', () => {
  test('takes a message in about its latency', () => {
    expect(begin(receiver())).toMatchObject({ outcome: { kind: 'delivered' }, durationMs: 1000 });
  });

  test.each([
    ['refuses' as const, { kind: 'deferred', phase: 'connecting' }, 'down', 50],
    ['silent' as const, { kind: 'deferred', phase: 'connecting' }, 'down', 30_000],
    [reply(421, '4.7.0', 'Later'), { kind: 'deferred', phase: 'waiting for the greeting' }, 'busy', 250],
    [reply(550, '5.1.1', 'No such user'), { kind: 'failed', phase: 'sending RCPT TO' }, undefined, 1000],
    [reply(451, '4.7.1', 'Greylisted'), { kind: 'deferred' }, undefined, 1000],
    [{ latencyMs: 9000 }, { kind: 'delivered' }, undefined, 9000],
  ])('for a time does otherwise: %j', (does, outcome, kind, durationMs) => {
    const one = during(does);
    const answer = begin(one, 1000 + minute);
    expect(answer).toMatchObject({ outcome, durationMs });
    const site = siteAnswer([answer.outcome], 0);
    expect(site === 'reached' ? undefined : site?.kind).toBe(kind);
    for (const now of [1000 + minute - 1, 1000 + 2 * minute])
      expect(begin(one, now)).toMatchObject({ outcome: { kind: 'delivered' }, durationMs: 1000 });
  });

  test('has places for so many connections', () => {
    const one = receiver({ connections: 1 });
    expect(begin(one).outcome.kind).toBe('delivered');
    expect(begin(one).outcome).toMatchObject({ kind: 'deferred', reply: { code: 421 } });
    one.end();
    one.end();
    expect(begin(one).outcome.kind).toBe('delivered');
  });

  test('takes so many messages in a minute', () => {
    const one = receiver({ messagesPerMinute: 2 });
    const kinds = [1000, 2000, 3000, 1000 + minute].map((now) => begin(one, now).outcome.kind);
    expect(kinds).toEqual(['delivered', 'delivered', 'deferred', 'delivered']);
  });

  test('greylists a message until so long after its first attempt', () => {
    const one = receiver({ greylistMs: 5 * minute });
    const kindOf = (now: number, firstTriedAt?: number) => begin(one, now, firstTriedAt).outcome.kind;
    expect(kindOf(1000)).toBe('deferred');
    expect(kindOf(1000 + 4 * minute, 1000)).toBe('deferred');
    expect(kindOf(1000 + 5 * minute, 1000)).toBe('delivered');
  });
});
