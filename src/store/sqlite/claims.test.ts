import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { reopenAsVersion } from '../../testing/earlier-store.ts';
import {
  changeAllJobs,
  jobNames,
  sampleJob,
  sampleMessage,
  type TemporaryStore,
  temporaryStore,
} from '../../testing/store.ts';
import type { JobRow } from '../job.ts';
import { voidClaims } from './claims.ts';
import { createDestinations } from './destinations.ts';
import { storeFiles } from './store-files.ts';

/** One message with so many jobs. */
async function put({ store }: TemporaryStore, queueId: string, count: number, changes: Partial<JobRow> = {}) {
  const jobs = Array.from({ length: count }, (_, number) => sampleJob(queueId, { number, ...changes }));
  await store.accept(sampleMessage(queueId, { jobs }));
}

const claim = async ({ store }: TemporaryStore, now: number, limit = 100) =>
  jobNames(await store.claim({ now, limit, leaseMs: 1e9, byShares: true }));

const none = 1e9;

test('claim() by shares lets every destination have its turn, however much one has waiting', async () => {
  await using world = await temporaryStore();
  await put(world, 'Q1', 500, { destination: 'large.example', expiresAt: none });
  await put(world, 'Q2', 1, { destination: 'small.example', nextAttemptAt: 2000, expiresAt: none });
  expect(await claim(world, 3000, 10)).toEqual(['Q1/0', 'Q2/0']);
  const numbers: number[] = [];
  for (let round = 0; round < 9; round++) numbers.push((await claim(world, 4000)).length);
  expect(numbers).toEqual([2, 4, 8, 16, 32, 64, 100, 100, 100]);
});

test('P7: claim() by shares takes half of what became due last: a backlog keeps nobody waiting who has a letter now and then', async () => {
  await using world = await temporaryStore();
  await put(world, 'BULK', 100, { expiresAt: none });
  await put(world, 'LETTER', 1, { nextAttemptAt: 2000, expiresAt: none });
  await put(world, 'LATER', 1, { nextAttemptAt: 9000, expiresAt: none });
  expect(await claim(world, 3000)).toEqual(['BULK/0']);
  expect(await claim(world, 4000)).toEqual(['BULK/1', 'LETTER/0']);
  expect(await claim(world, 4000)).toEqual(['BULK/2', 'BULK/3', 'BULK/98', 'BULK/99']);
});

test('claim() by shares takes all there is for our own mailboxes at once: they need no trial', async () => {
  await using world = await temporaryStore();
  await put(world, 'Q1', 50, { kind: 'local', destination: '', expiresAt: none });
  expect(await claim(world, 3000)).toHaveLength(50);
});

test('claim() gives the jobs of one message in their order', async () => {
  await using world = await temporaryStore();
  const jobs = ['z.example', 'a.example', 'm.example'].map((destination, number) =>
    sampleJob('Q1', { number, destination, nextAttemptAt: 1000 - number }),
  );
  await world.store.accept(sampleMessage('Q1', { jobs }));
  expect(await claim(world, 1000)).toEqual(['Q1/0', 'Q1/1', 'Q1/2']);
});

test('claim() by name takes what is not due, and what its destination holds back, but nothing that is claimed', async () => {
  await using world = await temporaryStore();
  await put(world, 'Q1', 3, { nextAttemptAt: 5000, expiresAt: none });
  await put(world, 'Q2', 1, { expiresAt: none });
  const only = [0, 2, 7].map((number) => ({ queueId: 'Q1', number }));
  const order = { now: 1000, limit: 100, leaseMs: none, only };
  expect(jobNames(await world.store.claim(order))).toEqual(['Q1/0', 'Q1/2']);
  expect(jobNames(await world.store.claim(order))).toEqual([]);
  const rest = await world.store.claim({ now: 5000, limit: 100, leaseMs: none });
  expect(jobNames(rest).sort()).toEqual(['Q1/1', 'Q2/0']);
});

test('P7: release() can hold a destination: one row waits, however many jobs, and then one job goes first', async () => {
  await using world = await temporaryStore();
  await put(world, 'Q1', 50, { expiresAt: none });
  await put(world, 'Q2', 1, { destination: 'other.example', expiresAt: none });
  const [first] = await world.store.claim({ now: 1000, limit: 1, leaseMs: none });
  await world.store.release(first?.jobs ?? [], 5000);
  expect(await world.store.nextDue()).toBe(1000);
  expect(await claim(world, 4999)).toEqual(['Q2/0']);
  expect(await world.store.nextDue()).toBe(5000);
  expect((await world.store.listJobs({ limit: 1 })).jobs[0]?.nextAttemptAt).toBe(5000);
  for (const [now, count] of [
    [5000, 1],
    [5999, 0],
    [6000, 2],
    [6000, 4],
  ] as const)
    expect(await claim(world, now)).toHaveLength(count);
});

test.each(['release', 'postpone'] as const)(
  '%s() takes back what was claimed: not in doubt, though its lease ran out meanwhile, unless it came so',
  async (way) => {
    await using world = await temporaryStore();
    await put(world, 'Q1', 1, { expiresAt: none });
    const claimFor = (now: number) => world.store.claim({ now, limit: 1, leaseMs: 100 });
    const [held] = await claimFor(1000);
    const [again] = await claimFor(1100);
    expect(again?.jobs[0]).toMatchObject({ inDoubt: true });
    await world.store[way](held?.jobs ?? [], 1200);
    const [free] = await claimFor(1200);
    expect(free?.jobs[0]).not.toHaveProperty('inDoubt');
    await world.store[way](again?.jobs ?? [], 1300);
    expect((await claimFor(1300))[0]?.jobs[0]).toMatchObject({ inDoubt: true });
  },
);

test('nextDue() counts the ends of leases: what nobody settles is found again', async () => {
  await using world = await temporaryStore();
  await put(world, 'Q1', 1, { expiresAt: none });
  await world.store.accept(sampleMessage('Q2', { claimed: true })); // without a lease
  await world.store.claim({ now: 1000, limit: 1, leaseMs: 100 });
  expect(await world.store.nextDue()).toBe(1100);
});

test('P7: postpone() lets jobs wait, and not others for the same destination', async () => {
  await using world = await temporaryStore();
  await put(world, 'Q1', 2, { expiresAt: none });
  await put(world, 'Q2', 1, { expiresAt: none });
  const [first] = await world.store.claim({ now: 1000, limit: 2, leaseMs: none });
  await world.store.postpone(first?.jobs ?? [], 5000);
  expect(await claim(world, 4999)).toEqual(['Q2/0']);
  expect(await world.store.nextDue()).toBe(5000);
  expect(await claim(world, 5000)).toEqual(['Q1/0', 'Q1/1']);
});

test('a retry by changeJobs() ends the wait of postponed jobs', async () => {
  await using world = await temporaryStore();
  await put(world, 'Q1', 1, { expiresAt: none });
  const [first] = await world.store.claim({ now: 1000, limit: 1, leaseMs: none });
  await world.store.postpone(first?.jobs ?? [], 5000);
  expect(await changeAllJobs(world.store, { kind: 'retry' }, { now: 2000 })).toBe(1);
  expect(await claim(world, 2000)).toEqual(['Q1/0']);
});

test('P7: settle() can hold the destination of what is tried again', async () => {
  await using world = await temporaryStore();
  await put(world, 'Q1', 3, { expiresAt: none });
  await claim(world, 1000);
  await world.store.settle({
    queueId: 'Q1',
    results: [{ number: 0, result: 'retry', nextAttemptAt: 9000, lastError: 'refused' }],
    events: [],
    reports: [],
    holdUntil: 5000,
  });
  expect(await world.store.nextDue()).toBe(5000);
  expect(await claim(world, 4999)).toEqual([]);
  expect(await claim(world, 5000)).toEqual(['Q1/1']);
});

test('not-7: claim() gives what has reached its end, also of a destination that is held', async () => {
  await using world = await temporaryStore();
  await put(world, 'Q1', 2, { expiresAt: 3000 });
  const [first] = await world.store.claim({ now: 1000, limit: 1, leaseMs: none });
  await world.store.release(first?.jobs ?? [], 5000);
  expect(await world.store.nextDue()).toBe(3000);
  expect(await claim(world, 2999)).toEqual([]);
  expect(await claim(world, 3000)).toEqual(['Q1/0', 'Q1/1']);
});

test('claim() lets others have their turn, however many have reached their end', async () => {
  await using world = await temporaryStore();
  await put(world, 'Q1', 50, { destination: 'late.example', expiresAt: 3000 });
  await put(world, 'Q2', 1, { destination: 'other.example', expiresAt: none });
  const taken = await claim(world, 3000, 10);
  expect(taken.slice(0, 5)).toEqual(['Q1/0', 'Q1/1', 'Q1/2', 'Q1/3', 'Q1/4']);
  expect(taken).toContain('Q2/0');
});

test('a retry by changeJobs() ends the wait of a held destination', async () => {
  await using world = await temporaryStore();
  await put(world, 'Q1', 1, { expiresAt: none });
  const [first] = await world.store.claim({ now: 1000, limit: 1, leaseMs: none });
  await world.store.release(first?.jobs ?? [], 5000);
  expect(await changeAllJobs(world.store, { kind: 'retry' }, { now: 2000 })).toBe(1);
  expect(await claim(world, 2000)).toEqual(['Q1/0']);
});

test('changeJobs() drops so many at a time, and leaves nothing that would be claimed', async () => {
  await using world = await temporaryStore();
  await put(world, 'Q1', 25);
  const events = { done: { event: 'dropped', data: {} } };
  const drop = async (limit: number) =>
    (await world.store.changeJobs({ filter: {}, change: { kind: 'drop' }, now: 1, by: '', events, limit }))
      .jobs;
  expect(await drop(10)).toHaveLength(10);
  expect(await drop(20)).toHaveLength(15);
  expect(await drop(20)).toEqual([]);
  expect(await claim(world, 5000)).toEqual([]);
  expect(await world.store.nextDue()).toBeUndefined();
});

test('openStore() finds the jobs of a database of version 2, claimed ones too', async () => {
  await using world = await temporaryStore();
  await put(world, 'Q1', 3);
  await world.store.accept(sampleMessage('Q2', { claimed: true }));
  const store = await reopenAsVersion(
    world,
    2,
    `DROP TABLE recent_keys; DROP TABLE destinations; DROP INDEX jobs_due; DROP INDEX jobs_expiring;
      CREATE INDEX jobs_due ON jobs (next_attempt_at) WHERE claimed_until IS NULL`,
  );
  expect(jobNames(await store.claim({ now: 5000, limit: 10, leaseMs: 1 }))).toHaveLength(4);
});

test('voidClaims() changes jobs and destinations together or not at all', async () => {
  await using world = await temporaryStore();
  await put(world, 'Q1', 2, { expiresAt: none });
  await world.store.claim({ now: 1000, limit: 2, leaseMs: none });
  await world.store.close();
  const database = new Database(storeFiles(world.dataDir).database);
  const jobs = () => database.prepare('SELECT queue_id, number, claimed_until, in_doubt FROM jobs').all();
  const before = jobs();
  const torn = {
    ...createDestinations(database),
    note() {
      throw new Error('as by a power cut');
    },
  };
  expect(() => voidClaims(database, torn)).toThrow('as by a power cut');
  expect(jobs()).toEqual(before);
  database.close();
});
