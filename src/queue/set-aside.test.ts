import { describe, expect, test, vi } from 'vitest';
import { never } from '../store/never.ts';
import type { QueueStage } from '../testing/queue-stage.ts';
import { queueWorld } from '../testing/queue-world.ts';
import type { Suspension } from './suspensions.ts';

const world = queueWorld();
const { letter, newStage, queued, begunInTime } = world;

const suspended = (more: Partial<Suspension> = {}): Suspension => ({
  scope: 'domain',
  name: 'example.net',
  by: 'root',
  at: world.clock.now(),
  ...more,
});

/** Records a group that is not tried, as delivery does. */
async function record(stage: QueueStage, index: number, holdUntil = never): Promise<void> {
  const group = stage.untried[index];
  if (group === undefined) throw new Error('nothing was set aside');
  await stage.queue.settle({
    queueId: group.message.queueId,
    results: group.jobs.map(({ number }) => ({
      number,
      result: 'retry',
      nextAttemptAt: world.clock.now(),
      lastError: 'suspended',
    })),
    events: [],
    reports: [],
    holdUntil,
  });
  stage.end(group);
}

describe('suspended work', () => {
  test('is not tried, new mail too; what goes elsewhere is, in the same message', async () => {
    const stage = newStage({ suspensions: [suspended()] });
    stage.queue.start();
    await stage.queue.accept(letter('a@example.net', 'b@example.org'));
    expect((await stage.hasBegun(2)).sort()).toEqual(['a@example.net', 'b@example.org']);
    expect(stage.untried.flatMap(({ jobs }) => jobs.map(({ recipient }) => recipient))).toEqual([
      'a@example.net',
    ]);
    await record(stage, 0);
    const other = stage.begun.find(({ jobs }) => jobs[0]?.destination === 'example.org');
    if (other) await stage.settle(other, 'done');
    expect(await world.store.claim({ now: world.clock.now() + 1e9, limit: 10, leaseMs: 1 })).toEqual([]);
    await stage.queue.stop();
  });

  test('of one site is split by domain, where only a domain is suspended', async () => {
    const stage = newStage({ suspensions: [suspended()], siteOf: () => '10 mx.example.com:25' });
    stage.queue.start();
    await stage.queue.accept(letter('a@example.net', 'b@example.org'));
    expect((await stage.hasBegun(2)).sort()).toEqual(['a@example.net', 'b@example.org']);
    expect(stage.untried).toHaveLength(1);
    await record(stage, 0);
    for (const group of stage.begun) if (!stage.untried.includes(group)) await stage.settle(group, 'done');
    await stage.queue.stop();
  });

  test('that was tried before goes back without a word, and its destination waits', async () => {
    const stage = newStage({
      suspensions: [suspended({ scope: 'site', name: 'mx.example.net' })],
      siteOf: () => '1 mx.example.net:25',
    });
    const { message, jobs, events } = letter('a@example.net');
    await world.store.accept({
      message,
      jobs: jobs.map((job) => ({ ...job, attempts: 1 })),
      events,
      claimed: false,
    });
    stage.queue.start();
    await vi.waitFor(async () =>
      expect((await queued())[0]).toMatchObject({ claimed: false, nextAttemptAt: never }),
    );
    expect(stage.begun).toEqual([]);
    await stage.queue.stop();
  });

  test('goes on when the suspension ends: one at once, and the others when their site has answered', async () => {
    const stage = newStage({ suspensions: [suspended()] });
    stage.queue.start();
    for (const name of ['a', 'b', 'c']) await stage.queue.accept(letter(`${name}@example.net`));
    await stage.hasBegun(3);
    for (const index of [0, 1, 2]) await record(stage, index);
    await stage.queue.suspend([]);
    await world.store.unholdDestinations(never, world.clock.now());
    stage.queue.look();
    await stage.hasBegun(4);
    for (let index = 3; index < 6; index++) {
      await begunInTime(stage, index + 1, 10_000);
      const group = stage.begun[index];
      if (group) await stage.settle(group, 'done');
    }
    expect(stage.untried).toHaveLength(3);
    await stage.queue.stop();
  });

  test('is taken away from what waits for its turn; the place goes to others', async () => {
    const stage = newStage();
    stage.queue.start();
    for (let index = 0; index < 8; index++) await stage.queue.accept(letter(`${index}@example.net`));
    await stage.hasBegun(1);
    const before = stage.begun.length;
    expect(before).toBeLessThan(8);
    await stage.queue.suspend([suspended({ scope: 'all', name: '' })]);
    for (const group of [...stage.begun]) await stage.settle(group, 'done');
    await stage.hasBegun(8);
    expect(stage.untried).toHaveLength(8 - before);
    for (let index = 0; index < 8 - before; index++) await record(stage, index);
    await stage.queue.stop();
    expect(await queued()).toHaveLength(8 - before);
  });

  test('ends by itself when its time is over', async () => {
    const until = world.clock.now() + 3600_000;
    const stage = newStage({ suspensions: [suspended({ until })] });
    stage.queue.start();
    await stage.queue.accept(letter('a@example.net'));
    await stage.hasBegun(1);
    await record(stage, 0, until);
    world.clock.advance(3599_000);
    expect(stage.begun).toHaveLength(1);
    await vi.waitFor(() => {
      world.clock.advance(1000);
      expect(stage.begun).toHaveLength(2);
    });
    expect(stage.untried).toHaveLength(1);
    for (const group of stage.begun.slice(1)) await stage.settle(group, 'done');
    await stage.queue.stop();
  });
});

describe('suspended work that was tried before', () => {
  test('goes on by itself when the time of the suspension is over', async () => {
    const until = world.clock.now() + 3600_000;
    const stage = newStage({ suspensions: [suspended({ until })] });
    const { message, jobs, events } = letter('a@example.net');
    const old = jobs.map((job) => ({ ...job, attempts: 1 }));
    await world.store.accept({ message, jobs: old, events, claimed: false });
    stage.queue.start();
    await vi.waitFor(async () =>
      expect(await queued()).toMatchObject([{ claimed: false, nextAttemptAt: until }]),
    );
    await vi.waitFor(() => {
      world.clock.advance(600_000);
      expect(stage.begun).toHaveLength(1);
    });
    expect(stage.untried).toEqual([]);
    for (const group of stage.begun) await stage.settle(group, 'done');
    await stage.queue.stop();
  });
});

describe('withheld work', () => {
  test('is begun by itself when it is withheld no more, be it alone', async () => {
    const stage = newStage();
    stage.queue.start();
    const end = await stage.queue.withhold(() => true, true);
    await stage.queue.accept(letter('a@example.net'));
    await vi.waitFor(async () => expect(await queued()).toMatchObject([{ claimed: false }]));
    end();
    await vi.waitFor(() => {
      world.clock.advance(1000);
      expect(stage.begun).toHaveLength(1);
    });
    for (const group of stage.begun) await stage.settle(group, 'done');
    await stage.queue.stop();
  });

  test('that a claim under way brings is back in the store, too, before anybody looks there', async () => {
    const stage = newStage();
    await world.store.accept({ ...letter('a@example.net'), claimed: false });
    stage.queue.start();
    const end = await stage.queue.withhold(() => true, true);
    expect(await world.store.countJobs({})).toEqual({ waiting: 1, held: 0, underway: 0 });
    end();
    await stage.queue.stop();
  });

  test('goes back to the store from where it waits, is not begun meanwhile, and then is', async () => {
    const stage = newStage();
    stage.queue.start();
    for (let index = 0; index < 8; index++) await stage.queue.accept(letter(`${index}@example.net`));
    await stage.hasBegun(1);
    const begun = stage.begun.length;
    const end = await stage.queue.withhold(({ destination }) => destination === 'example.net', true);
    const counts = await world.store.countJobs({});
    expect(counts).toEqual({ waiting: 8 - begun, held: 0, underway: begun });
    for (const group of [...stage.begun]) await stage.settle(group, 'done');
    for (let passed = 0; passed < 5; passed++) {
      world.clock.advance(1000);
      await world.store.nextDue();
    }
    await stage.queue.accept(letter('new@example.net'));
    await stage.queue.accept(letter('other@example.org'));
    await stage.hasBegun(begun + 1);
    expect(stage.begun.slice(begun).flatMap(({ jobs }) => jobs.map(({ recipient }) => recipient))).toEqual([
      'other@example.org',
    ]);
    for (const group of stage.begun.slice(begun)) await stage.settle(group, 'done');
    expect(stage.untried).toEqual([]);
    end();
    for (let index = begun + 1; index < 10; index++) {
      await begunInTime(stage, index + 1, 2000);
      const group = stage.begun[index];
      if (group) await stage.settle(group, 'done');
    }
    await stage.queue.stop();
    expect(await queued()).toEqual([]);
  });
});
