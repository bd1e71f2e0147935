import { describe, expect, test, vi } from 'vitest';
import { StoreFullError } from '../store/errors.ts';
import type { JobResult } from '../store/queue-store.ts';
import type { Store } from '../store/store.ts';
import { namesOf } from '../testing/queue-stage.ts';
import { queueWorld } from '../testing/queue-world.ts';
import { places } from '../testing/schedule-stage.ts';
import { changeAllJobs } from '../testing/store.ts';
import { heldEntry } from './entry.ts';
import type { QueueParts } from './queue.ts';

const minute = 60_000;
const world = queueWorld();
const { letter, newStage, queued, begunInTime } = world;

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
    const store = { ...world.store, accept: () => Promise.reject(new StoreFullError('full')) };
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
    world.clock.advance(365 * 24 * 60 * minute);
    await stage.queue.accept(letter('e@f.example'));
    await begunInTime(stage, 1);
    expect(stage.begun.map(namesOf)).toEqual(['e@f.example']);
    expect(await world.store.countJobs({ heldBy: 'the brake' })).toMatchObject({ held: 2 });
    expect(await world.store.countJobs({ heldBy: 'another' })).toMatchObject({ held: 0 });
    await changeAllJobs(world.store, { kind: 'release' }, { now: world.clock.now() });
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
    world.clock.advance(59 * minute);
    expect(stage.begun).toHaveLength(1);
    await begunInTime(stage, 2);
    expect(world.clock.now()).toBeGreaterThanOrEqual(held.jobs[0]?.nextAttemptAt ?? 0);
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
    await vi.waitFor(() => expect(world.clock.planned).toEqual([world.clock.now() + 5 * minute]), 5000);
    world.clock.advance(5 * minute - 1);
    expect(stage.begun).toHaveLength(1);
    world.clock.advance(1);
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
      { number: 1, result: 'retry', nextAttemptAt: world.clock.now(), lastError: 'later' },
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
      ...world.store,
      settle: (settlement) =>
        full-- > 0 ? Promise.reject(new StoreFullError('full')) : world.store.settle(settlement),
    };
    const stage = newStage({ store });
    stage.queue.start();
    await stage.queue.accept(letter('a@example.net'));
    const [group] = stage.begun;
    if (!group) throw new Error('nothing was begun');
    const settled = stage.settle(group, 'done');
    await stage.hasLogged(1);
    world.clock.advance(5000);
    await stage.hasLogged(2);
    world.clock.advance(5000);
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

  test('wake() makes it look for what others put into the store', async () => {
    const stage = newStage();
    stage.queue.start();
    await world.store.accept({ ...letter('a@example.net'), claimed: false });
    stage.queue.wake();
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
    await vi.waitFor(() => expect(world.clock.planned).toEqual([world.clock.now() + 60 * minute]), 5000);
    world.clock.advance(60 * minute);
    expect(await stage.hasBegun(2)).toEqual(['a@example.net', 'a@example.net']);
    for (const group of stage.begun.slice(1)) await stage.settle(group, 'done');
    await stage.queue.stop();
  });
});

describe('Queue.stop()', () => {
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

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
    await world.reopen();
    const [left] = await queued();
    expect(left).toMatchObject({ recipient: 'b@example.net', claimed: false, attempts: 0 });
    expect(left?.inDoubt).toBeFalsy();
  });

  test('gives back also what was on its way from the store', async () => {
    const stage = newStage({ siteOf: async ({ destination }) => destination });
    await world.store.accept({ ...letter('a@example.net', 'b@example.org'), claimed: false });
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
    world.clock.advance(10_000);
    expect(signal?.aborted).toBe(true);
    if (group) await stage.settle(group, { retryAfter: 0 });
    await stopped;
  });

  test('stop() ends a look-up that does not come to an end', async () => {
    const siteOf: QueueParts['siteOf'] = (_job, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const stage = newStage({ siteOf });
    stage.queue.start();
    await stage.queue.accept(letter('a@example.net'));
    const stopped = stage.queue.stop();
    await turn();
    world.clock.advance(10_000);
    await stopped;
    expect(await queued()).toMatchObject([{ recipient: 'a@example.net', claimed: false }]);
  });
});
