import { expect, test } from 'vitest';
import {
  changeAllJobs,
  jobNames,
  sampleEvent,
  sampleJob,
  sampleMessage,
  temporaryDirectory,
  temporaryStore,
} from '../../testing/store.ts';
import { firstIdAt } from '../../util/queue-id.ts';
import type { JobChange, QueueChange } from '../queue-store.ts';
import type { Store } from '../store.ts';
import { scanStep } from './job-walk.ts';
import { createEngine } from './operations.ts';
import { openDatabase } from './schema.ts';

test('countAround() counts what is due before a job at its destination and after it, claimed ones not, up to a limit', async () => {
  await using world = await temporaryStore();
  const put = (id: string, changes: object) =>
    world.store.accept(sampleMessage(id, { jobs: [sampleJob(id, changes)] }));
  for (const [id, nextAttemptAt] of [
    ['Q1', 1000],
    ['Q2', 2000],
    ['Q3', 3000],
    ['Q4', 4000],
  ] as const)
    await put(id, { nextAttemptAt });
  await put('Q5', { nextAttemptAt: 1000, destination: 'other.example' });
  const around = async (queueId: string, { now = 9000, limit = 100 } = {}) => {
    const { before, after } = await world.store.countAround({ queueId, number: 0 }, { now, limit });
    return [before, after];
  };
  expect(await around('Q1')).toEqual([0, 3]);
  expect(await around('Q3')).toEqual([2, 1]);
  expect(await around('Q4', { limit: 2 })).toEqual([2, 0]);
  expect(await around('Q1', { now: 3000 })).toEqual([0, 2]);
  expect(await around('Q5')).toEqual([0, 0]);
  expect(await around('none')).toEqual([0, 0]);
  await world.store.claim({ now: 1000, limit: 1, leaseMs: 9000 });
  expect(await around('Q4')).toEqual([2, 0]);
});

test('listJobs() pages through claimed and unclaimed jobs in order, filtered or not', async () => {
  await using world = await temporaryStore();
  for (const [index, id] of ['Q1', 'Q2', 'Q3', 'Q4'].entries()) {
    const jobs = [
      sampleJob(id, { recipient: 'Bob@Example.net' }),
      sampleJob(id, { number: 1, destination: 'other.example', recipient: 'x@other.example' }),
    ];
    await world.store.accept(sampleMessage(id, { jobs, claimed: index % 2 === 0 }));
  }
  const pages = async (filter: object) => {
    const names: string[][] = [];
    for (let after: string | undefined = '', first = true; first || after !== undefined; first = false) {
      const page = await world.store.listJobs({
        ...filter,
        ...(first ? {} : { after: after ?? '' }),
        limit: 3,
      });
      names.push(
        page.jobs.map(({ queueId, number, claimed }) => `${queueId}/${number}${claimed ? '*' : ''}`),
      );
      after = page.next;
    }
    return names;
  };
  expect(await pages({})).toEqual([
    ['Q1/0*', 'Q1/1*', 'Q2/0'],
    ['Q2/1', 'Q3/0*', 'Q3/1*'],
    ['Q4/0', 'Q4/1'],
  ]);
  expect(await pages({ destination: 'other.example' })).toEqual([['Q1/1*', 'Q2/1', 'Q3/1*'], ['Q4/1']]);
  expect(await pages({ recipient: 'bob@example.net' })).toEqual([['Q1/0*', 'Q2/0', 'Q3/0*'], ['Q4/0']]);
  expect(await pages({ queueId: 'Q3' })).toEqual([['Q3/0*', 'Q3/1*']]);
});

test('changeJobs() makes matching unclaimed jobs due, however many', async () => {
  await using world = await temporaryStore();
  const jobs = Array.from({ length: 2500 }, (_, number) => sampleJob('Q1', { number, nextAttemptAt: 9000 }));
  await world.store.accept(sampleMessage('Q1', { jobs }));
  await world.store.accept(sampleMessage('Q2', { claimed: true }));
  const retry = (destination: string, now: number) =>
    changeAllJobs(world.store, { kind: 'retry' }, { filter: { destination }, now });
  expect(await retry('example.net', 4000)).toBe(2500);
  expect(await world.store.nextDue()).toBe(4000);
  expect(await retry('elsewhere.example', 1)).toBe(0);
});

const change = (change: JobChange, more: Partial<QueueChange> = {}): QueueChange => ({
  filter: {},
  change,
  now: 3000,
  by: 'root',
  events: { done: { event: change.kind, data: { by: 'root' } } },
  limit: 1000,
  ...more,
});

test('changeJobs() drops matching unclaimed jobs with their message and says so in the dossier', async () => {
  await using world = await temporaryStore();
  await world.store.accept(sampleMessage('Q1', { jobs: [sampleJob('Q1'), sampleJob('Q1', { number: 1 })] }));
  await world.store.accept(sampleMessage('Q2', { claimed: true, events: [sampleEvent('Q2')] }));
  const { jobs } = await world.store.changeJobs(change({ kind: 'drop' }));
  expect(jobs).toEqual([sampleJob('Q1'), sampleJob('Q1', { number: 1 })]);
  const happened = await world.store.trace({ queueId: 'Q1', limit: 1 });
  expect(happened).toMatchObject([
    { at: 3000, event: 'drop', recipient: 'recipient@example.net', data: { by: 'root' } },
    { event: 'drop' },
  ]);
  await world.store.accept(sampleMessage('Q1'));
  expect((await world.store.listJobs({ limit: 10 })).jobs.map(({ queueId }) => queueId)).toEqual([
    'Q1',
    'Q2',
  ]);
});

test('a held job is claimed neither when it is due nor at its end, over a restart too, until it is released', async () => {
  await using world = await temporaryStore();
  const memo = { source: '192.0.2.1' };
  await world.store.accept(sampleMessage('Q1', { jobs: [sampleJob('Q1', { memo })] }));
  const { jobs } = await world.store.changeJobs(change({ kind: 'hold' }, { now: 2000 }));
  expect(jobs).toHaveLength(1);
  expect((await world.store.changeJobs(change({ kind: 'hold' }))).jobs).toEqual([]);
  const store = await world.reopen();
  expect(await store.claim({ now: 1_000_000, limit: 10, leaseMs: 1 })).toEqual([]);
  expect(await changeAllJobs(store, { kind: 'retry' }, { now: 5000 })).toBe(0);
  expect(await store.claim({ now: 1_000_000, limit: 10, leaseMs: 1 })).toEqual([]);
  const held = { by: 'root', at: 2000, nextAttemptAt: 1000, expiresAt: 9000 };
  expect((await store.listJobs({ limit: 1 })).jobs).toMatchObject([{ memo: { ...memo, held } }]);

  // It was held for 50 seconds: so much later it ends.
  expect((await store.changeJobs(change({ kind: 'release' }, { now: 52_000 }))).jobs).toHaveLength(1);
  const [claimed] = await store.claim({ now: 52_000, limit: 10, leaseMs: 1 });
  expect(claimed?.jobs).toEqual([sampleJob('Q1', { memo, expiresAt: 59_000 })]);
});

test('changeJobs() leaves alone what is under way', async () => {
  await using world = await temporaryStore();
  await world.store.accept(sampleMessage('Q1', { claimed: true }));
  const to = { recipient: 'a@example.org', kind: 'remote', destination: 'example.org' } as const;
  for (const what of [
    { kind: 'retry' },
    { kind: 'hold' },
    { kind: 'release' },
    { kind: 'drop' },
    { kind: 'redirect', to },
  ] as const)
    expect(await changeAllJobs(world.store, what), what.kind).toBe(0);
  expect(await world.store.countJobs({})).toEqual({ waiting: 0, held: 0, underway: 1 });
});

test('changeJobs() redirects: nothing was tried for the new address, and its dossier knows the old one', async () => {
  await using world = await temporaryStore();
  const before = sampleJob('Q1', { attempts: 3, nextAttemptAt: 8000, lastError: '450 Later' });
  await world.store.accept(sampleMessage('Q1', { jobs: [before] }));
  const to = { recipient: 'bob@example.com', kind: 'local', destination: '' } as const;
  const arrived = { event: 'redirected', data: { rule: 'root sent it here' } };
  await world.store.changeJobs(
    change({ kind: 'redirect', to }, { events: { done: { event: 'readdressed', data: {} }, arrived } }),
  );
  const [claimed] = await world.store.claim({ now: 3000, limit: 10, leaseMs: 1 });
  expect(claimed?.jobs).toEqual([
    sampleJob('Q1', { ...to, folder: 'Inbox', originalRecipient: before.recipient, nextAttemptAt: 3000 }),
  ]);
  const found = await world.store.trace({ address: 'bob@example.com', limit: 10 });
  expect(found).toMatchObject([
    { event: 'readdressed', recipient: before.recipient },
    { event: 'redirected', recipient: 'bob@example.com', data: { from: before.recipient } },
  ]);
  expect((await world.store.claim({ now: 9e9, limit: 10, leaseMs: 1 })).length).toBe(1); // its lease ran out
});

test('changeJobs() redirects what is on hold: after the release nothing of the old address is waited for', async () => {
  await using world = await temporaryStore();
  await world.store.accept(
    sampleMessage('Q1', { jobs: [sampleJob('Q1', { attempts: 3, nextAttemptAt: 8000 })] }),
  );
  expect(await changeAllJobs(world.store, { kind: 'hold' }, { now: 2000 })).toBe(1);
  const to = { recipient: 'a@example.org', kind: 'remote', destination: 'example.org' } as const;
  expect(await changeAllJobs(world.store, { kind: 'redirect', to }, { now: 3000 })).toBe(1);
  expect(await world.store.claim({ now: 1_000_000, limit: 10, leaseMs: 1 })).toEqual([]);
  expect(await changeAllJobs(world.store, { kind: 'release' }, { now: 4000 })).toBe(1);
  const [claimed] = await world.store.claim({ now: 4000, limit: 10, leaseMs: 1 });
  expect(claimed?.jobs).toMatchObject([{ ...to, attempts: 0, nextAttemptAt: 3000, expiresAt: 11_000 }]);
  expect(claimed?.jobs[0]).not.toHaveProperty('memo');
});

test('takeJobs() claims what matches, due or not, and gives its message', async () => {
  await using world = await temporaryStore();
  await world.store.accept(sampleMessage('Q1', { jobs: [sampleJob('Q1', { nextAttemptAt: 9000 })] }));
  await world.store.accept(sampleMessage('Q2'));
  const take = { filter: { queueId: 'Q1' }, now: 1000, leaseMs: 500, limit: 10 };
  const { taken } = await world.store.takeJobs(take);
  expect(taken).toMatchObject([{ message: { queueId: 'Q1' }, jobs: [{ nextAttemptAt: 9000 }] }]);
  expect((await world.store.takeJobs(take)).taken).toEqual([]);
  expect(jobNames(await world.store.claim({ now: 1000, limit: 10, leaseMs: 1 }))).toEqual(['Q2/0']);
});

/** So many messages, the second half a day after the first, each tenth from `rare@example.com`, a few of them held. */
async function fill(store: Store, count: number): Promise<void> {
  const clockAt = (index: number) => (index < count / 2 ? 0 : 2 * 86_400_000) + index;
  for (let start = 0; start < count; start += 2000) {
    const some = Array.from({ length: Math.min(2000, count - start) }, (_, offset) => {
      const index = start + offset;
      const queuedAt = clockAt(index);
      const queueId = `${firstIdAt(queuedAt)}00000`;
      const destination = `d${index % 50}.example`;
      const times = { queuedAt, nextAttemptAt: 9e12, expiresAt: 9e12 };
      const reversePath = index % (count / 10) === 7 ? 'rare@example.com' : 'often@example.com';
      const jobs = [sampleJob(queueId, { destination, recipient: `u${index}@${destination}`, ...times })];
      return store.accept(sampleMessage(queueId, { message: { reversePath }, jobs }));
    });
    await Promise.all(some);
  }
}

test('P7: of 100,000 recipients, what no index knows is found in steps, between which other work is done', async () => {
  await using world = await temporaryStore();
  const { store } = world;
  const count = 100_000;
  await fill(store, count);
  expect(await store.countJobs({})).toEqual({ waiting: count, held: 0, underway: 0 });
  expect((await store.listJobs({ sender: 'RARE@example.com', limit: 100 })).jobs).toHaveLength(10);
  expect(await store.countJobs({ queuedBefore: 86_400_000 })).toMatchObject({ waiting: count / 2 });
  expect(await store.countJobs({ queuedAfter: 86_400_000, destination: 'd7.example' })).toMatchObject({
    waiting: count / 100,
  });
  const held = await changeAllJobs(store, { kind: 'hold' }, { filter: { sender: 'rare@example.com' } });
  expect(held).toBe(10);
  expect((await store.listJobs({ state: 'held', limit: 20 })).jobs).toHaveLength(10);

  // A walk that finds nothing looks at all, and lets others in between.
  let others = 0;
  let walking = true;
  const walk = store.countJobs({ sender: 'nobody@example.com' }).finally(() => {
    walking = false;
  });
  while (walking) {
    await store.nextDue();
    others++;
  }
  expect(await walk).toEqual({ waiting: 0, held: 0, underway: 0 });
  expect(others).toBeGreaterThanOrEqual(count / scanStep - 1);
}, 60_000);

test('the queue is walked by its indexes: no statement scans all jobs', async () => {
  await using directory = await temporaryDirectory();
  const statements: string[] = [];
  const database = openDatabase(`${directory.path}/test.db`, directory.path);
  const prepare = database.prepare.bind(database);
  database.prepare = ((sql: string) => {
    statements.push(sql);
    return prepare(sql);
  }) as typeof database.prepare;
  const { perform } = createEngine(database);
  const step = { after: ['Q1', 0] as [string, number], limit: 10 };
  const states = [undefined, 'held', 'waiting', 'underway'] as const;
  const others = [
    {},
    { destination: 'a' },
    { recipient: 'a' },
    { queueId: 'a' },
    { sender: 'a' },
    { queuedBefore: 1 },
  ];
  for (const state of states) {
    for (const other of others) {
      const filter = state === undefined ? other : { ...other, state };
      perform(['listJobs', { filter, ...step }]);
      perform(['countJobs', { filter, after: step.after }]);
      perform([
        'changeJobs',
        { filter, ...step, change: { kind: 'retry' }, now: 1, by: '', events: undefined },
      ]);
    }
  }
  perform(['listDestinations', { after: 'a', limit: 1 }]);
  const plans = statements
    .filter((sql) => / jobs /.test(sql) && !sql.startsWith('INSERT'))
    .flatMap((sql) => {
      const values = Array.from(sql.matchAll(/\?/g), () => 1);
      return prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(...values);
    });
  expect(plans.length).toBeGreaterThan(100);
  expect(plans.filter(({ detail }) => /^SCAN jobs$/.test(detail))).toEqual([]);
  database.close();
});
