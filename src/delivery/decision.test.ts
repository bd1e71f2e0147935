import { describe, expect, test } from 'vitest';
import { defaultRetryPolicy } from '../queue/retry.ts';
import { reply } from '../smtp/reply.ts';
import type { JobRow } from '../store/job.ts';
import { sampleJob } from '../testing/store.ts';
import { type Decision, decide, healingWaitsMs } from './decision.ts';
import type { Outcome, Trouble } from './outcome.ts';

const minute = 60_000;
const hour = 60 * minute;

const trouble: Trouble = {
  status: '4.2.0',
  reason: '450 4.2.0 Later',
  phase: 'sending RCPT TO',
  rule: '4xx: try again later',
  reply: reply(450, '4.2.0', 'Later'),
};
const deferred: Outcome = { kind: 'deferred', ...trouble };
const lost: Outcome = { kind: 'inDoubt', ...trouble, status: '4.4.2', phase: 'sending end of data' };
const full: Outcome = { kind: 'failed', ...trouble, status: '5.2.2', rule: '5xx, but full', remedy: 'heals' };
const gone: Outcome = { kind: 'failed', ...trouble, status: '5.1.1', rule: '5xx: given up' };

const jobWith = (changes: Partial<JobRow> = {}): JobRow =>
  sampleJob('Q1', { queuedAt: 0, expiresAt: defaultRetryPolicy.lifetimeMs, ...changes });

const at = (now: number, job: JobRow, outcome: Outcome): Decision =>
  decide({ retry: defaultRetryPolicy, random: () => 0.5, now }, job, outcome);

/** The attempts of a job that always ends so: when, and what was told after which. */
function history(outcome: Outcome, attempts = 60) {
  let job = jobWith();
  const story: { at: number; event: string; told?: string | undefined }[] = [];
  for (let now = 0; story.length < attempts; ) {
    const { result, event, failure, delay } = at(now, job, outcome);
    const told = failure ? 'failed' : delay && 'delayed';
    story.push({ at: now, event: event.event, told });
    if (result.result !== 'retry') break;
    const { memo } = result;
    job = { ...jobWith(), attempts: job.attempts + 1, ...(memo && { memo }) };
    now = result.nextAttemptAt;
  }
  return story;
}

describe('decide() by the time that the sender has set (RFC 2852)', () => {
  const by = (mode: 'R' | 'N', moment: number) => ({
    requests: { deliverBy: { at: moment, mode } },
    ...(mode === 'R' && { expiresAt: moment }),
  });

  test('what is to be returned is tried once more just before, and comes back in time with 5.4.7', () => {
    const job = jobWith(by('R', 2 * minute));
    const first = at(0, job, deferred);
    expect(first.result).toMatchObject({ result: 'retry', nextAttemptAt: 110_000 });
    const last = at(110_000, { ...job, attempts: 1 }, deferred);
    expect(last).toMatchObject({ result: { result: 'done' }, failure: { status: '5.4.7' } });
    expect(at(110_000, job, gone).failure?.status).toBe('5.1.1');
  });

  test('of what is late its sender is told then, and it goes on', () => {
    const job = jobWith(by('N', 2 * minute));
    const first = at(0, job, deferred);
    expect(first.delay).toBeUndefined();
    expect(first.result).toMatchObject({ nextAttemptAt: 2 * minute });
    const then = at(2 * minute, { ...job, attempts: 1 }, deferred);
    expect(then).toMatchObject({ result: { result: 'retry' }, delay: { status: '4.2.0' } });
  });

  test('a server that does not know of that time is reported, so is any where a trace is wanted', () => {
    const passedOn = (changes: Partial<JobRow>, there: object) =>
      at(0, jobWith(changes), { kind: 'delivered', ...there }).reached?.action;
    const asked = by('R', 2 * minute);
    const traced = { requests: { deliverBy: { ...asked.requests.deliverBy, trace: true } } } as const;
    expect(passedOn(asked, {})).toBe('relayed');
    expect(passedOn(asked, { keepsTimeThere: true })).toBeUndefined();
    expect(passedOn(traced, { keepsTimeThere: true })).toBe('relayed');
    expect(passedOn({ requests: { ...asked.requests, notify: ['never'] } }, {})).toBeUndefined();
    expect(passedOn({ ...asked, kind: 'local' }, {})).toBeUndefined();
  });

  test('a hold is no delay', () => {
    const held = jobWith({ requests: { releaseAt: 10 * hour } });
    expect(at(10 * hour, held, deferred).delay).toBeUndefined();
    expect(at(14 * hour, held, deferred).delay).toBeDefined();
  });
});

describe('decide() on a deferral', () => {
  test('P7: tries again by the schedule, warns of the delay once, after four hours, and gives up after five days', () => {
    const story = history(deferred);
    expect(story.map((step) => step.at / minute).slice(0, 7)).toEqual([0, 5, 20, 50, 110, 230, 240]);
    expect(story.filter(({ told }) => told === 'delayed').map((step) => step.at / hour)).toEqual([4]);
    expect(story.at(-1)).toMatchObject({ event: 'failed', told: 'failed' });
    expect(story.at(-1)?.at).toBeGreaterThan(114 * hour);
  });

  test('P9: an attempt just before clear text is allowed waits for it; one that is well before does not', () => {
    const decided = (clearTextFrom: number, changes: Partial<JobRow> = {}) => {
      const { result } = at(0, jobWith(changes), { ...deferred, clearTextFrom });
      return result.result === 'retry' ? result.nextAttemptAt : undefined;
    };
    expect(decided(5.5 * minute)).toBe(5.5 * minute);
    expect(decided(6.5 * minute)).toBe(5 * minute);
    expect(decided(4 * minute)).toBe(5 * minute);
    expect(decided(5.5 * minute, { expiresAt: 5.2 * minute })).toBe(5 * minute);
  });

  test('the warning says until when it is tried', () => {
    const { delay, result } = at(5 * hour, jobWith({ attempts: 6 }), deferred);
    expect(delay).toMatchObject({ willRetryUntil: defaultRetryPolicy.lifetimeMs });
    expect(result).toMatchObject({ result: 'retry', memo: { told: ['delay'] } });
  });

  test('no warning where there is to be none', () => {
    const retry = { ...defaultRetryPolicy, delayWarningMs: Number.POSITIVE_INFINITY };
    const decision = decide({ retry, random: () => 0.5, now: 50 * hour }, jobWith(), deferred);
    expect(decision.delay).toBeUndefined();
  });

  test('RFC 3461: no warning for who asked for none, and a failure that is not wanted is marked', () => {
    const requests = { notify: ['success'] } as const;
    const late = at(5 * hour, jobWith({ requests }), deferred);
    expect(late).not.toHaveProperty('delay');
    expect(at(0, jobWith({ requests }), full)).not.toHaveProperty('delay');
    expect(at(0, jobWith({ requests }), gone).failure).toMatchObject({ unwanted: true });
    expect(at(5 * hour, jobWith({ requests: { notify: ['delay'] } }), deferred)).toHaveProperty('delay');
  });

  test('what an earlier attempt left is kept', () => {
    const memo = { source: '192.0.2.1', healing: 1, lostReplies: 1, told: ['healing'] as const };
    expect(at(minute, jobWith({ memo }), deferred).result).toMatchObject({ memo });
    expect(at(minute, jobWith(), deferred).result).not.toHaveProperty('memo');
  });

  test('M7: comes at the moment that greylisting allows, and remembers since when and from where', () => {
    const parts = { retry: defaultRetryPolicy, random: () => 0.5, now: minute };
    const greylisting = () => ({ since: 30, nextAttemptAt: 6 * minute, rule: 'greylisted' });
    const endpoint = { host: 'mx', address: '192.0.2.1', port: 25, source: '192.0.2.9' };
    const outcome: Outcome = { ...deferred, endpoint };
    const { result, event } = decide({ ...parts, greylisting }, jobWith(), outcome);
    expect(result).toMatchObject({
      nextAttemptAt: 6 * minute,
      memo: { greylistedAt: 30, source: '192.0.2.9' },
    });
    expect(event.data).toMatchObject({ rule: 'greylisted' });
  });
});

describe('decide() on a refusal that may heal', () => {
  test('M6: three more attempts within 24 hours, the sender told at the first and at the end', () => {
    const story = history(full);
    expect(story.map((step) => step.at / hour)).toEqual([0, 1, 6, 22]);
    expect(story.map(({ told }) => told)).toEqual(['delayed', undefined, undefined, 'failed']);
    expect(story.map(({ event }) => event)).toEqual(['deferred', 'deferred', 'deferred', 'failed']);
    expect(healingWaitsMs.reduce((sum, each) => sum + each, 0)).toBeLessThan(24 * hour);
  });

  test('M6: the report says that it may heal and until when it is tried; the dossier, which rule decided', () => {
    const { delay, event, result } = at(0, jobWith(), full);
    expect(delay).toMatchObject({ mayHeal: true, status: '5.2.2', willRetryUntil: 22 * hour });
    expect(event.data).toMatchObject({
      rule: expect.stringMatching(/5xx, but full.*attempt 1 of 3.*"careful"/),
    });
    expect(result).toMatchObject({ memo: { healing: 1, told: ['healing'] } });
  });

  test('M6: deferrals in between do not begin the count anew', () => {
    const memo = { healing: 3, told: ['healing'] as const };
    expect(at(minute, jobWith({ memo }), deferred).result).toMatchObject({ result: 'retry', memo });
    expect(at(minute, jobWith({ memo }), full)).toMatchObject({
      result: { result: 'done' },
      failure: { rule: expect.stringContaining('it has not') },
    });
  });

  test('M6: who was told of the healing is not warned of the delay as well', () => {
    const memo = { healing: 1, told: ['healing'] as const };
    expect(at(5 * hour, jobWith({ memo }), deferred).delay).toBeUndefined();
    expect(at(5 * hour, jobWith(), full).delay).toMatchObject({ mayHeal: true });
  });

  test('an unknown user is final at once', () => {
    expect(at(0, jobWith(), gone)).toMatchObject({
      result: { result: 'done' },
      failure: { status: '5.1.1' },
    });
  });
});

describe('decide() in doubt', () => {
  test('tries again, first after ten minutes, and after the third lost reply says that it may have arrived', () => {
    const story = history(lost);
    expect(story.map((step) => step.at / minute)).toEqual([0, 10, 25]);
    expect(story.map(({ event }) => event)).toEqual(['inDoubt', 'inDoubt', 'failed']);
    expect(story.map(({ told }) => told)).toEqual([undefined, undefined, 'failed']);
    const third = at(0, jobWith({ memo: { lostReplies: 2 } }), lost);
    expect(third.failure).toMatchObject({
      mayHaveArrived: true,
      rule: expect.stringContaining('may have arrived'),
    });
  });

  test('the end of its time says so, too, whatever came last', () => {
    const memo = { lostReplies: 1 };
    const late = { memo, expiresAt: 1000 };
    for (const outcome of [lost, deferred, gone])
      expect(at(999, jobWith(late), outcome).failure).toMatchObject({
        mayHaveArrived: true,
      });
    expect(at(999, jobWith({ expiresAt: 1000 }), deferred).failure).not.toHaveProperty('mayHaveArrived');
  });

  test('waits as long as the schedule says where that is longer', () => {
    expect(at(0, jobWith({ attempts: 3 }), lost).result).toMatchObject({ nextAttemptAt: hour });
  });
});

describe('decide() on what an account has passed on', () => {
  const memo = { forwardedBy: 'bob@example.com' };
  const job = jobWith({ recipient: 'ann@example.net', memo });

  test('a refusal sends it back into the account’s Junk folder, and tells nobody', () => {
    const { result, event, arrived, failure } = at(hour, job, gone);
    expect(failure).toBeUndefined();
    expect(event).toMatchObject({ event: 'failed', recipient: 'ann@example.net' });
    expect(arrived).toMatchObject({
      event: 'redirected',
      recipient: 'bob@example.com',
      data: { from: 'ann@example.net' },
    });
    expect(result).toEqual({
      number: 0,
      result: 'retry',
      nextAttemptAt: hour,
      lastError: gone.reason,
      memo: { returned: { from: 'ann@example.net', reason: gone.reason } },
      returned: { account: 'bob@example.com', expiresAt: hour + defaultRetryPolicy.lifetimeMs },
    });
  });

  test('so does the end of its time; before that it is tried as ever, and its sender is told of no delay', () => {
    expect(at(5 * hour, job, deferred)).toMatchObject({ event: { event: 'deferred' }, result: { memo } });
    expect(at(5 * hour, job, deferred).delay).toBeUndefined();
    expect(at(hour, job, full)).toMatchObject({ result: { memo: { ...memo, healing: 1 } } });
    expect(at(hour, job, full).delay).toBeUndefined();
    const { result, failure } = at(defaultRetryPolicy.lifetimeMs - 1, job, deferred);
    expect(failure).toBeUndefined();
    expect(result).toMatchObject({ returned: { account: 'bob@example.com' } });
  });
});
