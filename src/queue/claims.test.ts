import { describe, expect, test, vi } from 'vitest';
import { StoreFullError } from '../store/errors.ts';
import type { Store } from '../store/store.ts';
import { namesOf } from '../testing/queue-stage.ts';
import { queueWorld } from '../testing/queue-world.ts';
import { places } from '../testing/schedule-stage.ts';
import { leaseMs } from './claims.ts';
import type { QueueParts } from './queue.ts';

const minute = 60_000;
const world = queueWorld();
const { letter, newStage } = world;

describe('Claims.claim()', () => {
  test('P7: goes on after a restart with what it had not finished', async () => {
    await world.store.accept({ ...letter('a@example.net'), claimed: false });
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
    await world.reopen();
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
    await world.reopen();
    const stage = newStage({ limits });
    stage.queue.start();
    await stage.queue.accept(letter('new@example.net'));
    await vi.waitFor(() => {
      stage.queue.wake();
      world.clock.advance(1000);
      expect(stage.begun).toHaveLength(4);
    });
    expect(stage.queue.inLine()).toEqual([]);
    for (const group of stage.begun) await stage.settle(group, 'done');
    await stage.queue.stop();
  });

  test('P7: a job whose lease runs out while it waits in memory is not handed out twice', async () => {
    for (const name of ['a', 'b', 'c'])
      await world.store.accept({ ...letter(`${name}@slow.example`), claimed: false });
    const stage = newStage({
      limits: { concurrency: 10, perSite: () => places(1), apart: () => false, maxHeld: 100 },
    });
    stage.queue.start();
    await stage.hasBegun(1); // the others wait behind it
    world.clock.advance(leaseMs + minute);
    await world.store.accept({ ...letter('d@other.example'), claimed: false });
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

  test('P7: what was claimed is worked on, although what is due next cannot be read', async () => {
    await world.store.accept({ ...letter('a@example.net'), claimed: false });
    const nextDue = vi.fn(world.store.nextDue).mockRejectedValueOnce(new StoreFullError('full'));
    const stage = newStage({ store: { ...world.store, nextDue } });
    stage.queue.start();
    expect(await stage.hasBegun(1)).toEqual(['a@example.net']);
    for (const group of stage.begun) await stage.settle(group, 'done');
    await stage.queue.stop();
  });

  test('looks again after 5 s where the store could not be read', async () => {
    let broken = true;
    const store: Store = {
      ...world.store,
      claim: (request) => (broken ? Promise.reject(new Error('cannot read')) : world.store.claim(request)),
    };
    await store.accept({ ...letter('a@example.net'), claimed: false });
    const stage = newStage({ store });
    stage.queue.start();
    await stage.hasLogged(1);
    broken = false;
    world.clock.advance(5000);
    expect(await stage.hasBegun(1)).toEqual(['a@example.net']);
    for (const group of stage.begun) await stage.settle(group, 'done');
    await stage.queue.stop();
  });
});

describe('Claims.handOut()', () => {
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
});
