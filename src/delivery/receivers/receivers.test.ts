import { describe, expect, test } from 'vitest';
import { defaultRetryPolicy } from '../../queue/retry.ts';
import { reply } from '../../smtp/reply.ts';
import type { JobMemo } from '../../store/job.ts';
import type { Memo } from '../../store/memo-store.ts';
import { fakeClock } from '../../testing/fake-clock.ts';
import { sampleJob } from '../../testing/store.ts';
import { createLog } from '../../util/log.ts';
import type { Outcome, Trouble } from '../outcome.ts';
import { maxReceivers, maxWaits, percentile90, Receivers, receiverLifeMs } from './receivers.ts';

const minute = 60_000;
const site = '10 mx.example.net:25';
const ours = '192.0.2.9';
const at = (source?: string) => ({
  host: 'mx.example.net',
  address: '198.51.100.1',
  port: 25,
  ...(source !== undefined && { source }),
});

const refusal = (text: string, source = ours): Trouble => ({
  status: '4.7.1',
  reason: text,
  phase: 'sending RCPT TO',
  rule: '4xx',
  reply: reply(451, '4.7.1', text),
  endpoint: at(source),
});

const jobWith = (memo?: JobMemo, attempts = 0) => sampleJob('Q1', { attempts, ...(memo && { memo }) });

async function stage(memos: Memo[] = []) {
  const clock = fakeClock(1_000_000);
  const written = new Map(memos.map((memo) => [memo.key, memo]));
  let writes = 0;
  const store = {
    listMemos: async () => [...written.values()],
    writeMemos: async (changed: Memo[]) => {
      writes++;
      for (const memo of changed) written.set(memo.key, memo);
    },
    removeMemos: async (_kind: string, keys: string[]) => keys.filter((key) => written.delete(key)).length,
  };
  const receivers = new Receivers({ store, clock, log: createLog('silent') });
  await receivers.load();
  /** An attempt that delivered a job which had waited so long, as the only one or one of several. */
  const passed = (waitMs: number, { source = ours, together = 1, tls = '' } = {}) => {
    const memo = { source, greylistedAt: clock.now() - waitMs };
    const ends = Array.from({ length: together }, () => receivers.begin(site));
    const delivered: Outcome = { kind: 'delivered', endpoint: at(source) };
    const data = { endpoint: at(source), reused: false, dialogue: [] };
    const events = [
      {
        ...{ at: 0, queueId: 'Q1', event: 'attempted' as const },
        data: tls === '' ? data : { ...data, tls: { version: tls, cipher: 'x' } },
      },
    ];
    for (const end of ends) end({ jobs: [jobWith(memo)], outcomes: [delivered], events });
  };
  const next = (text: string, memo?: JobMemo, source = ours) => {
    const job = jobWith(memo, memo === undefined ? 0 : 1);
    return receivers.greylisting(site, job, refusal(text, source), defaultRetryPolicy);
  };
  return { clock, receivers, passed, next, written, writes: () => writes };
}

describe('Receivers', () => {
  test('M7: comes again as soon as the receiver says, with a small margin', async () => {
    const { next, clock } = await stage();
    const { nextAttemptAt = 0, since, rule } = next('Greylisted, try again in 300 seconds') ?? {};
    expect(nextAttemptAt - clock.now()).toBeGreaterThan(300_000);
    expect(nextAttemptAt - clock.now()).toBeLessThan(310_000);
    expect(since).toBe(clock.now());
    expect(rule).toContain(`as soon as the receiver says, from the same address (${ours})`);
  });

  test('M7: who says "in 1 second" each time is not called every second for days', async () => {
    const { receivers, clock } = await stage();
    const said = refusal('Greylisted, try again in 1 seconds');
    const waitMs = (attempts: number) =>
      (receivers.greylisting(site, jobWith({}, attempts), said, defaultRetryPolicy)?.nextAttemptAt ?? 0) -
      clock.now();
    const { length } = defaultRetryPolicy.waitsMs;
    expect(waitMs(length - 1)).toBeLessThan(minute);
    expect(waitMs(length)).toBeGreaterThan(6 * 60 * minute);
  });

  test('M7: comes by the schedule, but never too early, where nothing is known', async () => {
    const { next, clock } = await stage();
    const { nextAttemptAt = 0, rule } = next('Greylisted') ?? {};
    expect(nextAttemptAt - clock.now()).toBeGreaterThan(5 * minute);
    expect(nextAttemptAt - clock.now()).toBeLessThan(6 * minute);
    expect(rule).toContain('by the schedule');
  });

  test('M7: learns how long a receiver keeps mail waiting, and comes then the next time', async () => {
    const { next, passed, clock } = await stage();
    for (let count = 0; count < 9; count++) passed(20 * minute);
    passed(50 * minute);
    const { nextAttemptAt = 0, rule } = next('Greylisted') ?? {};
    expect(nextAttemptAt - clock.now()).toBe(20 * minute);
    expect(rule).toContain('likely to take it, as it did before');
  });

  test('M7: counts from when the receiver has known the job, and goes by the schedule when that was not enough', async () => {
    const { next, passed, clock } = await stage();
    passed(20 * minute);
    const begun = { source: ours, greylistedAt: clock.now() - 15 * minute };
    const { nextAttemptAt = 0, since } = next('Greylisted', begun) ?? {};
    expect(nextAttemptAt - clock.now()).toBeLessThan(6 * minute);
    expect(since).toBe(begun.greylistedAt);
    const tooLong = { source: ours, greylistedAt: clock.now() - 30 * minute };
    expect(next('Greylisted', tooLong)?.rule).toContain('by the schedule');
  });

  test('M7: another address of ours is a stranger: its time begins anew, and what it needs is its own', async () => {
    const { next, passed, clock } = await stage();
    passed(20 * minute);
    const memo = { source: ours, greylistedAt: clock.now() - 15 * minute };
    const found = next('Greylisted', memo, '192.0.2.10');
    expect(found).toMatchObject({ since: clock.now(), rule: expect.stringContaining('by the schedule') });
  });

  test.each(['Mailbox busy', 'Too many connections', 'cannot find your hostname'])(
    'leaves other trouble alone: %s',
    async (text) => {
      const { receivers } = await stage();
      const trouble = { ...refusal(text), reply: reply(450, '4.2.0', text) };
      expect(receivers.greylisting(site, jobWith(), trouble, defaultRetryPolicy)).toBeUndefined();
    },
  );

  test('remembers over a restart, in one write for all that was learned together', async () => {
    const { passed, clock, written, writes } = await stage();
    passed(20 * minute, { tls: 'TLSv1.3', together: 3 });
    passed(10 * minute, { source: '192.0.2.10' });
    expect(writes()).toBe(0);
    clock.advance(minute);
    expect(writes()).toBe(1);
    const later = await stage([...written.values()]);
    expect(later.receivers.connectionsOf(site)).toBe(3);
    expect(later.next('Greylisted')?.rule).toContain('as it did before');
    const [memo] = written.values();
    expect(memo).toMatchObject({
      kind: 'receiver',
      value: { site, source: ours, tls: 'TLSv1.3', connections: 3 },
    });
    expect(memo?.expiresAt).toBe(1_000_000 + receiverLifeMs);
  });

  test('writes at the end what is not written yet', async () => {
    const { passed, receivers, writes } = await stage();
    passed(minute);
    await receivers.stop();
    expect(writes()).toBe(1);
  });

  test('forgets after 30 days, and by command', async () => {
    const { passed, clock, next, receivers } = await stage();
    passed(20 * minute);
    clock.advance(receiverLifeMs - 1);
    expect(next('Greylisted')?.rule).toContain('as it did before');
    clock.advance(1);
    expect(next('Greylisted')?.rule).toContain('by the schedule');
    passed(20 * minute);
    receivers.forget('another');
    expect(next('Greylisted')?.rule).toContain('as it did before');
    receivers.forget(site);
    expect(next('Greylisted')?.rule).toContain('by the schedule');
  });

  test('what learned nothing new writes nothing, unless it would be forgotten', async () => {
    const { receivers, clock, writes } = await stage();
    const deliver = () => {
      const jobs = [jobWith()];
      receivers.begin(site)({ jobs, outcomes: [{ kind: 'delivered', endpoint: at(ours) }], events: [] });
      clock.advance(minute);
    };
    deliver();
    deliver();
    expect(writes()).toBe(1);
    clock.advance(receiverLifeMs / 2);
    deliver();
    expect(writes()).toBe(2);
  });

  test('takes it back when a site that took many at once asks for less', async () => {
    const { passed, receivers, written } = await stage();
    passed(minute, { together: 6 });
    const busy: Outcome = {
      kind: 'deferred',
      ...refusal('x'),
      reply: reply(421, '4.7.0', 'Too many connections'),
    };
    const ends = Array.from({ length: 4 }, () => receivers.begin(site));
    ends[0]?.({ jobs: [jobWith()], outcomes: [busy], events: [] });
    await receivers.stop();
    expect([...written.values()]).toMatchObject([{ value: { connections: 3 } }]);
  });

  test('the schedule is told what was known when the run began, and keeps to that', async () => {
    const { passed, receivers } = await stage();
    passed(minute, { together: 6 });
    expect(receivers.connectionsOf(site)).toBeUndefined();
  });

  test('passes over what it cannot read', async () => {
    const { next } = await stage([{ kind: 'receiver', key: 'x', value: { site: 5 } }]);
    expect(next('Greylisted')).toBeDefined();
  });

  test('keeps a bounded number of receivers, and of waits', async () => {
    const { receivers, passed, written, clock } = await stage();
    for (let count = 0; count < maxWaits + 5; count++) passed(minute);
    const outcomes: Outcome[] = [{ kind: 'delivered', endpoint: at(ours) }];
    for (let count = 0; count < maxReceivers + 1; count++)
      receivers.begin(`site ${count}`)({ jobs: [jobWith()], outcomes, events: [] });
    clock.advance(minute);
    expect(written.size).toBe(maxReceivers);
    receivers.begin('another site')({ jobs: [jobWith()], outcomes, events: [] });
    await receivers.stop();
    expect(written.size).toBe(maxReceivers);
    expect([...written.keys()]).toContain(`another site from ${ours}`);
    expect([...written.keys()]).not.toContain(`site 1 from ${ours}`);
  });

  test('of too many that an earlier run has left, keeps those that were learned last', async () => {
    const memos = Array.from({ length: maxReceivers + 5 }, (_, number): Memo => {
      const known = { site: `site ${number}`, connections: 3, learnedAt: 900_000 - number };
      return { kind: 'receiver', key: `site ${number} from *`, value: known };
    });
    const { receivers, written } = await stage(memos);
    await receivers.stop();
    expect(written.size).toBe(maxReceivers);
    expect(receivers.connectionsOf('site 0')).toBe(3);
    expect(receivers.connectionsOf(`site ${maxReceivers}`)).toBeUndefined();
    expect(written.has(`site ${maxReceivers} from *`)).toBe(false);
  });
});

test.each([
  [[], undefined],
  [[5], 5],
  [[1, 2, 3, 4, 5, 6, 7, 8, 9, 100], 9],
  [[100, 9, 8, 7, 6, 5, 4, 3, 2, 1, 11], 11],
])('percentile90(%o) is %s', (waits, expected) => expect(percentile90(waits)).toBe(expected));
