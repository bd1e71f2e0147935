import { expect, test } from 'vitest';
import { jobNames, sampleJob, sampleMessage, temporaryStore } from '../../testing/store.ts';

test('claim() gives what is due, the oldest first, at most as many as asked, and nothing twice', async () => {
  await using world = await temporaryStore();
  for (const [id, nextAttemptAt] of [
    ['Q1', 3000],
    ['Q2', 1000],
    ['Q3', 2000],
    ['Q4', 9000],
  ] as const) {
    await world.store.accept(sampleMessage(id, { jobs: [sampleJob(id, { nextAttemptAt })] }));
  }
  const claim = (now: number, limit: number) => world.store.claim({ now, limit, leaseMs: 100_000 });
  expect(jobNames(await claim(5000, 2))).toEqual(['Q2/0', 'Q3/0']);
  expect(jobNames(await claim(5000, 2))).toEqual(['Q1/0']);
  expect(await claim(5000, 2)).toEqual([]);
  expect(await world.store.nextDue()).toBe(9000);
});

test('nextDue() knows unclaimed jobs only', async () => {
  await using world = await temporaryStore();
  expect(await world.store.nextDue()).toBeUndefined();
  await world.store.accept(sampleMessage('Q1', { claimed: true }));
  expect(await world.store.nextDue()).toBeUndefined();
  await world.store.release([{ queueId: 'Q1', number: 0 }]);
  expect(await world.store.nextDue()).toBe(1000);
});

test('claim() gives a job whose lease ran out again, in doubt', async () => {
  await using world = await temporaryStore();
  await world.store.accept(sampleMessage('Q1'));
  await world.store.claim({ now: 1000, limit: 1, leaseMs: 500 });
  expect(await world.store.claim({ now: 1499, limit: 1, leaseMs: 500 })).toEqual([]);
  expect(await world.store.claim({ now: 1500, limit: 1, leaseMs: 500 })).toMatchObject([
    { jobs: [{ inDoubt: true }] },
  ]);
});

test('openStore() voids the claims of an earlier run and marks them in doubt; a released job is not', async () => {
  await using world = await temporaryStore();
  await world.store.accept(sampleMessage('Q1', { claimed: true }));
  await world.store.accept(sampleMessage('Q2'));
  await world.store.accept(sampleMessage('Q3'));
  await world.store.claim({ now: 1000, limit: 1, leaseMs: 1e9 });
  await world.store.accept(sampleMessage('Q4', { claimed: true }));
  await world.store.release([{ queueId: 'Q4', number: 0 }]);
  const store = await world.reopen();
  const claimed = await store.claim({ now: 1000, limit: 10, leaseMs: 1000 });
  expect(claimed.map(({ jobs: [job] }) => [job?.queueId, job?.inDoubt])).toEqual([
    ['Q1', true],
    ['Q2', true],
    ['Q3', undefined],
    ['Q4', undefined],
  ]);
});

test('settle() takes the doubt from a job that is tried again', async () => {
  await using world = await temporaryStore();
  await world.store.accept(sampleMessage('Q1', { claimed: true }));
  const store = await world.reopen();
  await store.claim({ now: 1000, limit: 1, leaseMs: 1000 });
  const results = [{ number: 0, result: 'retry' as const, nextAttemptAt: 2000, lastError: '450' }];
  await store.settle({ queueId: 'Q1', results, events: [], reports: [] });
  const [claimed] = await store.claim({ now: 2000, limit: 1, leaseMs: 1000 });
  expect(claimed?.jobs[0]?.inDoubt).toBeUndefined();
});
