import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { StoreFullError } from '../store/errors.ts';
import type { JobResult, NewMessage } from '../store/queue-store.ts';
import type { Store } from '../store/store.ts';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { namesOf, QueueStage } from '../testing/queue-stage.ts';
import { places, refused } from '../testing/schedule-stage.ts';
import {
  changeAllJobs,
  sampleJob,
  sampleMessage,
  type TemporaryStore,
  temporaryStore,
} from '../testing/store.ts';
import { leaseMs } from './claims.ts';
import { heldEntry } from './entry.ts';
import type { QueueParts } from './queue.ts';

const minute = 60_000;

let temporary: TemporaryStore;
let clock: FakeClock;
let count = 0;

beforeAll(async () => {
  temporary = await temporaryStore();
});
afterAll(() => temporary[Symbol.asyncDispose]());
beforeEach(async () => {
  clock = fakeClock();
  await changeAllJobs(temporary.store, { kind: 'drop' }); // what an earlier test left
});

/** A message with a job, due now, for each recipient. */
function letter(...recipients: string[]): Omit<NewMessage, 'claimed'> {
  const queueId = `Q${count++}`;
  const now = clock.now();
  const times = { queuedAt: now, nextAttemptAt: now, expiresAt: now + 9_999 * minute };
  const jobs = recipients.map((recipient, number) =>
    sampleJob(queueId, {
      number,
      recipient,
      destination: recipient.slice(recipient.indexOf('@') + 1),
      ...times,
    }),
  );
  return sampleMessage(queueId, { jobs });
}

/** Lets time pass until so many have begun, slowly enough for the store to follow. */
const begunInTime = (stage: QueueStage, times: number) =>
  vi.waitFor(
    () => {
      if (stage.begun.length < times) clock.advance(30_000);
      expect(stage.begun.length).toBeGreaterThanOrEqual(times);
    },
    { timeout: 5000, interval: 20 },
  );

const newStage = (parts: Partial<QueueParts> = {}): QueueStage =>
  new QueueStage({ store: temporary.store, clock, ...parts });

const queued = async (store: Store = temporary.store) => (await store.listJobs({ limit: 100 })).jobs;

describe('Queue.accept()', () => {
  test('P7: has message and jobs on disk before it resolves, and works on them at once', async () => {
    const stage = newStage();
    stage.queue.start();
    await stage.queue.accept(letter('a@example.net'));
    expect((await queued()).map(({ recipient, claimed }) => [recipient, claimed])).toEqual([
      ['a@example.net', true],
    ]);
    const [group] = stage.begun;
    if (group) await stage.settle(group, 'done');
    expect(await queued()).toEqual([]);
    await stage.queue.stop();
  });

  test('not-12: rejects where the store does, and then delivers nothing', async () => {
    const store = { ...temporary.store, accept: () => Promise.reject(new StoreFullError('full')) };
    const stage = newStage({ store });
    stage.queue.start();
    await expect(stage.queue.accept(letter('a@example.net'))).rejects.toThrow(StoreFullError);
    expect(stage.begun).toEqual([]);
    await stage.queue.stop();
  });

  test('what comes in before the start waits for it', async () => {
    const stage = newStage();
    await stage.queue.accept(letter('early@example.net'));
    expect(stage.begun).toEqual([]);
    stage.queue.start();
    expect(await stage.hasBegun(1)).toEqual(['early@example.net']);
    for (const group of stage.begun) await stage.settle(group, 'done');
    await stage.queue.stop();
  });

  test('what is held from the start is kept, not tried, and goes when it is released', async () => {
    const stage = newStage();
    stage.queue.start();
    const entry = heldEntry(letter('a@b.example', 'c@d.example'), { by: 'the brake', reason: 'too much' });
    await stage.queue.accept(entry);
    clock.advance(365 * 24 * 60 * minute);
    await stage.queue.accept(letter('e@f.example'));
    await begunInTime(stage, 1);
    expect(stage.begun.map(namesOf)).toEqual(['e@f.example']);
    expect(await temporary.store.countJobs({ heldBy: 'the brake' })).toMatchObject({ held: 2 });
    expect(await temporary.store.countJobs({ heldBy: 'another' })).toMatchObject({ held: 0 });
    await changeAllJobs(temporary.store, { kind: 'release' }, { now: clock.now() });
    stage.queue.look();
    await begunInTime(stage, 3);
    for (const group of stage.begun) await stage.settle(group, 'done');
    await stage.queue.stop();
  });

  test('what its sender holds is on disk until then, and goes at its time', async () => {
    const stage = newStage();
    stage.queue.start();
    const held = letter('a@x.example');
    for (const job of held.jobs) job.nextAttemptAt += 60 * minute;
    await stage.queue.accept(held);
    await stage.queue.accept(letter('b@x.example'));
    await vi.waitFor(() => expect(stage.begun).toHaveLength(1));
    expect((await queued()).map(({ recipient }) => recipient)).toContain('a@x.example');
    clock.advance(59 * minute);
    expect(stage.begun).toHaveLength(1);
    await begunInTime(stage, 2);
    expect(clock.now()).toBeGreaterThanOrEqual(held.jobs[0]?.nextAttemptAt ?? 0);
    for (const group of stage.begun) await stage.settle(group, 'done');
    await stage.queue.stop();
  });

  test('hands out the recipients of one site together, and each site on its own', async () => {
    const stage = newStage({ siteOf: async ({ destination }) => destination });
    stage.queue.start();
    await stage.queue.accept(letter('a@example.net', 'c@example.org', 'b@example.net'));
    expect(await stage.hasBegun(2)).toEqual(['a@example.net b@example.net', 'c@example.org']);
    for (const group of stage.begun) await stage.settle(group, 'done');
    await stage.queue.stop();
  });

  test('keeps on disk only what is more than it may hold, and comes to it later', async () => {
    const stage = newStage({
      limits: { concurrency: 1, perSite: () => places(1), apart: () => false, maxHeld: 2 },
    });
    stage.queue.start();
    for (const name of ['a', 'b', 'c', 'd']) await stage.queue.accept(letter(`${name}@example.net`));
    for (let index = 0; index < 4; index++) {
      await begunInTime(stage, index + 1);
      const group = stage.begun[index];
      if (group) await stage.settle(group, 'done');
    }
    expect(stage.begun.map(namesOf).sort()).toEqual(
      ['a', 'b', 'c', 'd'].map((name) => `${name}@example.net`),
    );
    await stage.queue.stop();
  });
});

describe('Queue.settle()', () => {
  test('P7: tells of what it has recorded, its reports too', async () => {
    const told: string[] = [];
    const stage = newStage({ onEvents: (events) => told.push(...events.map(({ event }) => event)) });
    stage.queue.start();
    await stage.queue.accept({ ...letter('a@example.net'), events: [] });
    const [group] = stage.begun;
    const queueId = group?.message.queueId ?? '';
    const failed = { at: 0, queueId, event: 'failed', data: {} };
    const report = letter('sender@example.com');
    const accepted = { at: 0, queueId: report.message.queueId, event: 'accepted', data: {} };
    await stage.queue.settle({
      queueId,
      results: [{ number: 0, result: 'done' }],
      events: [failed],
      reports: [{ ...report, events: [accepted] }],
    });
    expect(told).toEqual(['failed', 'accepted']);
    if (group) await stage.settle(group, 'done');
    await stage.queue.stop();
  });

  test('P7: not-5: tries again when the time has come, and not before', async () => {
    const stage = newStage();
    stage.queue.start();
    await stage.queue.accept(letter('a@example.net'));
    const [group] = stage.begun;
    if (group) await stage.settle(group, { retryAfter: 5 * minute });
    expect(await queued()).toMatchObject([{ attempts: 1, lastError: 'not now', claimed: false }]);
    await vi.waitFor(() => expect(clock.planned).toEqual([clock.now() + 5 * minute]), 5000);
    clock.advance(5 * minute - 1);
    expect(stage.begun).toHaveLength(1);
    clock.advance(1);
    await stage.hasBegun(2);
    expect(stage.begun[1]?.jobs).toMatchObject([{ recipient: 'a@example.net', attempts: 1 }]);
    if (stage.begun[1]) await stage.settle(stage.begun[1], 'done');
    await stage.queue.stop();
  });

  test('not-8: tries only those again who did not get it', async () => {
    const stage = newStage();
    stage.queue.start();
    await stage.queue.accept(letter('a@example.net', 'b@example.net'));
    await stage.hasBegun(1);
    const [group] = stage.begun;
    if (!group) throw new Error('nothing was begun');
    const results: JobResult[] = [
      { number: 0, result: 'done' },
      { number: 1, result: 'retry', nextAttemptAt: clock.now(), lastError: 'later' },
    ];
    await stage.queue.settle({ queueId: group.message.queueId, results, events: [], reports: [] });
    stage.end(group);
    expect(await stage.hasBegun(2)).toEqual(['a@example.net b@example.net', 'b@example.net']);
    for (const each of stage.begun) await stage.settle(each, 'done');
    await stage.queue.stop();
  });

  test('not-7: sends reports at once', async () => {
    const stage = newStage();
    stage.queue.start();
    await stage.queue.accept(letter('a@example.net'));
    const [group] = stage.begun;
    if (group) await stage.settle(group, 'done', [letter('sender@example.com')]);
    expect(await stage.hasBegun(2)).toEqual(['a@example.net', 'sender@example.com']);
    if (stage.begun[1]) await stage.settle(stage.begun[1], 'done');
    await stage.queue.stop();
  });

  test('P7: on a full disk the result is written as soon as there is room: nothing is sent twice', async () => {
    let full = 2;
    const store: Store = {
      ...temporary.store,
      settle: (settlement) =>
        full-- > 0 ? Promise.reject(new StoreFullError('full')) : temporary.store.settle(settlement),
    };
    const stage = newStage({ store });
    stage.queue.start();
    await stage.queue.accept(letter('a@example.net'));
    const [group] = stage.begun;
    if (!group) throw new Error('nothing was begun');
    const settled = stage.settle(group, 'done');
    await stage.hasLogged(1);
    clock.advance(5000);
    await stage.hasLogged(2);
    clock.advance(5000);
    await settled;
    expect(await queued()).toEqual([]);
    expect(stage.begun).toHaveLength(1);
    await stage.queue.stop();
  });
});

describe('Queue', () => {
  test('inLine() is what waits for a place, and not what is being tried', async () => {
    const stage = newStage({
      limits: { concurrency: 2, perSite: () => places(1), apart: () => false, maxHeld: 100 },
    });
    stage.queue.start();
    for (const name of ['a', 'b', 'c']) await stage.queue.accept(letter(`${name}@example.net`));
    const inLine = () => stage.queue.inLine().flatMap(({ jobs }) => jobs.map(({ recipient }) => recipient));
    expect(stage.begun).toHaveLength(1);
    expect(inLine()).toEqual(['b@example.net', 'c@example.net']);
    for (const [index, left] of [['c@example.net'], [], []].entries()) {
      await vi.waitFor(() => expect(stage.begun.length).toBeGreaterThan(index));
      const group = stage.begun[index];
      if (group) await stage.settle(group, 'done');
      await vi.waitFor(() => expect(inLine()).toEqual(left));
    }
    await stage.queue.stop();
  });

  test('P7: goes on after a restart with what it had not finished', async () => {
    await temporary.store.accept({ ...letter('a@example.net'), claimed: false });
    const stage = newStage();
    stage.queue.start();
    expect(await stage.hasBegun(1)).toEqual(['a@example.net']);
    expect(stage.begun[0]?.jobs[0]?.inDoubt).toBeFalsy();
    for (const group of stage.begun) await stage.settle(group, 'done');
    await stage.queue.stop();
  });

  test('P7: after a crash in the middle of an attempt its end is in doubt, and it is tried again', async () => {
    const crashed = newStage();
    crashed.queue.start();
    await crashed.queue.accept(letter('a@example.net'));
    await temporary.reopen();
    const stage = newStage();
    stage.queue.start();
    await stage.hasBegun(1);
    expect(stage.begun[0]?.jobs).toMatchObject([{ recipient: 'a@example.net', inDoubt: true }]);
    for (const group of stage.begun) await stage.settle(group, 'done');
    await stage.queue.stop();
  });

  test('P7: what a crash has left in doubt takes no place at its site: all of it is told so at once', async () => {
    const limits = { concurrency: 9, perSite: () => places(1), apart: () => false, maxHeld: 100 };
    const crashed = newStage({ limits });
    crashed.queue.start();
    for (const name of ['a', 'b', 'c']) await crashed.queue.accept(letter(`${name}@example.net`));
    await temporary.reopen();
    const stage = newStage({ limits });
    stage.queue.start();
    await stage.queue.accept(letter('new@example.net'));
    await vi.waitFor(() => {
      stage.queue.wake();
      clock.advance(1000);
      expect(stage.begun).toHaveLength(4);
    });
    expect(stage.queue.inLine()).toEqual([]);
    for (const group of stage.begun) await stage.settle(group, 'done');
    await stage.queue.stop();
  });

  test('wake() makes it look for what others put into the store', async () => {
    const stage = newStage();
    stage.queue.start();
    await temporary.store.accept({ ...letter('a@example.net'), claimed: false });
    stage.queue.wake();
    expect(await stage.hasBegun(1)).toEqual(['a@example.net']);
    for (const group of stage.begun) await stage.settle(group, 'done');
    await stage.queue.stop();
  });

  test('looks again after 5 s where the store could not be read', async () => {
    let broken = true;
    const store: Store = {
      ...temporary.store,
      claim: (request) =>
        broken ? Promise.reject(new Error('cannot read')) : temporary.store.claim(request),
    };
    await store.accept({ ...letter('a@example.net'), claimed: false });
    const stage = newStage({ store });
    stage.queue.start();
    await stage.hasLogged(1);
    broken = false;
    clock.advance(5000);
    expect(await stage.hasBegun(1)).toEqual(['a@example.net']);
    for (const group of stage.begun) await stage.settle(group, 'done');
    await stage.queue.stop();
  });

  test('not-12: a bug in a delivery loses nothing: the job comes again an hour later', async () => {
    const stage = newStage();
    stage.queue.start();
    await stage.queue.accept(letter('a@example.net'));
    if (stage.begun[0]) stage.crash(stage.begun[0]);
    await stage.hasLogged(1);
    await vi.waitFor(() => expect(clock.planned).toEqual([clock.now() + 60 * minute]), 5000);
    clock.advance(60 * minute);
    expect(await stage.hasBegun(2)).toEqual(['a@example.net', 'a@example.net']);
    for (const group of stage.begun.slice(1)) await stage.settle(group, 'done');
    await stage.queue.stop();
  });
});

describe('Queue, when something hangs or fails', () => {
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

  test('P7: a job whose lease runs out while it waits in memory is not handed out twice', async () => {
    for (const name of ['a', 'b', 'c'])
      await temporary.store.accept({ ...letter(`${name}@slow.example`), claimed: false });
    const stage = newStage({
      limits: { concurrency: 10, perSite: () => places(1), apart: () => false, maxHeld: 100 },
    });
    stage.queue.start();
    await stage.hasBegun(1); // the others wait behind it
    clock.advance(leaseMs + minute);
    await temporary.store.accept({ ...letter('d@other.example'), claimed: false });
    stage.queue.wake();
    await stage.hasBegun(2); // what came of a further claim
    for (let done = 0; done < 4; done++) {
      await stage.hasBegun(done + 1);
      const group = stage.begun[done];
      if (group) await stage.settle(group, 'done');
    }
    await stage.queue.stop();
    expect(stage.begun.map(namesOf).sort()).toEqual([
      'a@slow.example',
      'b@slow.example',
      'c@slow.example',
      'd@other.example',
    ]);
  });

  test('P7: a local recipient does not wait until the site of a remote one is known', async () => {
    const answer = Promise.withResolvers<string>();
    const siteOf: QueueParts['siteOf'] = ({ destination }) =>
      destination === 'slow.example' ? answer.promise : destination;
    const stage = newStage({ siteOf });
    stage.queue.start();
    await stage.queue.accept(letter('a@local.example', 'b@slow.example'));
    expect(await stage.hasBegun(1)).toEqual(['a@local.example']);
    answer.resolve('slow');
    expect(await stage.hasBegun(2)).toEqual(['a@local.example', 'b@slow.example']);
    for (const group of stage.begun) await stage.settle(group, 'done');
    await stage.queue.stop();
  });

  test('recipients whose sites become known together share a group', async () => {
    const stage = newStage({ siteOf: async () => 'one site' });
    stage.queue.start();
    await stage.queue.accept(letter('a@example.net', 'b@example.org'));
    expect(await stage.hasBegun(1)).toEqual(['a@example.net b@example.org']);
    for (const group of stage.begun) await stage.settle(group, 'done');
    await stage.queue.stop();
  });

  test('not-12: a job whose site cannot be told is delivered all the same, and the bug is told', async () => {
    const stage = newStage({ siteOf: () => Promise.reject(new Error('a bug')) });
    stage.queue.start();
    await stage.queue.accept(letter('a@example.net'));
    await stage.hasBegun(1);
    await stage.hasLogged(1);
    for (const group of stage.begun) await stage.settle(group, 'done');
    await stage.queue.stop();
  });

  test('P7: what was claimed is worked on, although what is due next cannot be read', async () => {
    await temporary.store.accept({ ...letter('a@example.net'), claimed: false });
    const nextDue = vi.fn(temporary.store.nextDue).mockRejectedValueOnce(new StoreFullError('full'));
    const stage = newStage({ store: { ...temporary.store, nextDue } });
    stage.queue.start();
    expect(await stage.hasBegun(1)).toEqual(['a@example.net']);
    for (const group of stage.begun) await stage.settle(group, 'done');
    await stage.queue.stop();
  });

  test('stop() ends a look-up that does not come to an end', async () => {
    const siteOf: QueueParts['siteOf'] = (_job, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const stage = newStage({ siteOf });
    stage.queue.start();
    await stage.queue.accept(letter('a@example.net'));
    const stopped = stage.queue.stop();
    await turn();
    clock.advance(10_000);
    await stopped;
    expect(await queued()).toMatchObject([{ recipient: 'a@example.net', claimed: false }]);
  });

  test('P7: what a site may not hold is given back to the store, and comes later', async () => {
    const stage = newStage({
      limits: { concurrency: 10, perSite: () => places(1), apart: () => false, maxHeld: 20 },
    });
    stage.queue.start();
    for (let count = 0; count < 8; count++) await stage.queue.accept(letter(`u${count}@slow.example`));
    await vi.waitFor(
      async () => expect((await queued()).filter(({ claimed }) => !claimed).length).toBeGreaterThan(0),
      5000,
    );
    await stage.queue.accept(letter('x@other.example'));
    expect(await stage.hasBegun(2)).toEqual(['u0@slow.example', 'x@other.example']);
    for (let done = 0; done < 9; done++) {
      await begunInTime(stage, done + 1);
      const group = stage.begun[done];
      if (group) await stage.settle(group, 'done');
    }
    expect(new Set(stage.begun.map(namesOf)).size).toBe(9);
    await stage.queue.stop();
    expect(await queued()).toEqual([]);
  });
});

describe('Queue, when a site is down', () => {
  const trouble = refused;
  const retry = { retryAfter: 30 * minute };

  /** Old mail for one site, and a stage on which its first attempt has failed. */
  const downSite = (...recipients: string[]) => downSiteOf({}, recipients);

  async function downSiteOf(parts: Partial<QueueParts>, recipients: string[]): Promise<QueueStage> {
    for (const recipient of recipients) {
      const entry = letter(recipient);
      const jobs = entry.jobs.map((job) => ({ ...job, attempts: 3 }));
      await temporary.store.accept({ ...entry, jobs, claimed: false });
    }
    const stage = newStage(parts);
    stage.queue.start();
    await stage.hasBegun(1);
    const [first] = stage.begun;
    if (first) await stage.settle(first, retry, [], trouble);
    return stage;
  }

  test('P7: its mail is one row that waits: one attempt finds out, the rest comes when it succeeds', async () => {
    const names = Array.from({ length: 6 }, (_, index) => `u${index}@down.example`);
    const stage = await downSite(...names);
    await vi.waitFor(async () => expect((await queued()).filter(({ claimed }) => claimed)).toEqual([]), 5000);
    expect(stage.begun).toHaveLength(1);
    const waiting = await queued();
    expect(waiting.map(({ attempts }) => attempts).sort()).toEqual([3, 3, 3, 3, 3, 4]);
    expect(Math.min(...waiting.map(({ nextAttemptAt }) => nextAttemptAt))).toBeGreaterThan(clock.now());
    clock.advance(minute);
    await stage.hasBegun(2);
    for (let done = 1; done < names.length; done++) {
      await begunInTime(stage, done + 1);
      const group = stage.begun[done];
      if (group) await stage.settle(group, 'done');
    }
    expect(new Set(stage.begun.map(namesOf))).toEqual(new Set(names));
    await stage.queue.stop();
  });

  test('P7: mail for the same domain that goes another way does not wait for it', async () => {
    // Two ways, by the first letter of the recipient, as if by sender.
    const parts = {
      siteOf: ({ recipient }: { recipient: string }) => recipient.slice(0, 1),
      isSplit: () => true,
    };
    const names = Array.from({ length: 20 }, (_, index) => `a${index}@x.example`);
    const stage = await downSiteOf(parts, [...names, 'b@x.example']);
    // In less than the minute for which the first way is left alone.
    for (let seconds = 0; seconds < 50 && stage.begun.length < 2; seconds += 2) {
      clock.advance(2000);
      await queued();
    }
    const begun = stage.begun.map(namesOf);
    for (const group of stage.begun.slice(1)) await stage.settle(group, 'done');
    await stage.queue.stop();
    expect(begun).toEqual(['a0@x.example', 'b@x.example']);
  });

  test('not-5: new mail for it is not tried, and this is recorded', async () => {
    const stage = await downSite('a@down.example');
    await stage.queue.accept(letter('new@down.example'));
    expect(await stage.hasBegun(2)).toEqual(['a@down.example', 'new@down.example']);
    expect(stage.untried).toEqual([stage.begun[1]]);
    if (stage.begun[1]) await stage.settle(stage.begun[1], retry);
    await stage.queue.stop();
  });

  test('wake() has it tried at once', async () => {
    const stage = await downSite('a@down.example');
    await changeAllJobs(temporary.store, { kind: 'retry' }, { now: clock.now() });
    stage.queue.wake();
    expect(await stage.hasBegun(2)).toEqual(['a@down.example', 'a@down.example']);
    expect(stage.untried).toEqual([]);
    if (stage.begun[1]) await stage.settle(stage.begun[1], 'done');
    await stage.queue.stop();
  });
});

describe('Queue.stop()', () => {
  test('lets what runs end, and gives the rest back untouched', async () => {
    const stage = newStage({
      limits: { concurrency: 1, perSite: () => places(1), apart: () => false, maxHeld: 100 },
    });
    stage.queue.start();
    for (const name of ['a', 'b']) await stage.queue.accept(letter(`${name}@example.net`));
    const stopped = stage.queue.stop();
    if (stage.begun[0]) await stage.settle(stage.begun[0], 'done');
    await stopped;
    expect(stage.begun.map(namesOf)).toEqual(['a@example.net']);
    const [left] = await queued(await temporary.reopen());
    expect(left).toMatchObject({ recipient: 'b@example.net', claimed: false, attempts: 0 });
    expect(left?.inDoubt).toBeFalsy();
  });

  test('gives back also what was on its way from the store', async () => {
    const stage = newStage({ siteOf: async ({ destination }) => destination });
    await temporary.store.accept({ ...letter('a@example.net', 'b@example.org'), claimed: false });
    stage.queue.start();
    await stage.queue.stop();
    expect(stage.begun).toEqual([]);
    expect((await queued()).map(({ claimed }) => claimed)).toEqual([false, false]);
  });

  test('ends what does not end by itself, after 10 s', async () => {
    const stage = newStage();
    stage.queue.start();
    await stage.queue.accept(letter('a@example.net'));
    const [signal] = stage.signals;
    const [group] = stage.begun;
    const stopped = stage.queue.stop();
    expect(signal?.aborted).toBe(false);
    clock.advance(10_000);
    expect(signal?.aborted).toBe(true);
    if (group) await stage.settle(group, { retryAfter: 0 });
    await stopped;
  });
});
