import { describe, expect, test, vi } from 'vitest';
import { namesOf, type QueueStage } from '../testing/queue-stage.ts';
import { queueWorld } from '../testing/queue-world.ts';
import { places, refused } from '../testing/schedule-stage.ts';
import { changeAllJobs } from '../testing/store.ts';
import type { QueueParts } from './queue.ts';

const minute = 60_000;
const world = queueWorld();
const { letter, newStage, queued, begunInTime } = world;

describe('Returns', () => {
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
      await world.store.accept({ ...entry, jobs, claimed: false });
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
    expect(Math.min(...waiting.map(({ nextAttemptAt }) => nextAttemptAt))).toBeGreaterThan(world.clock.now());
    world.clock.advance(minute);
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
      world.clock.advance(2000);
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
    await changeAllJobs(world.store, { kind: 'retry' }, { now: world.clock.now() });
    stage.queue.wake();
    expect(await stage.hasBegun(2)).toEqual(['a@down.example', 'a@down.example']);
    expect(stage.untried).toEqual([]);
    if (stage.begun[1]) await stage.settle(stage.begun[1], 'done');
    await stage.queue.stop();
  });
});
