import { expect, test } from 'vitest';
import {
  sampleEvent,
  sampleJob,
  sampleMessage,
  temporaryDirectory,
  temporaryStore,
} from '../../testing/store.ts';
import { createEngine } from './operations.ts';
import { openDatabase } from './schema.ts';

const ids = (claimed: { jobs: { queueId: string; number: number; inDoubt?: boolean }[] }[]) =>
  claimed.flatMap(({ jobs }) => jobs.map(({ queueId, number }) => `${queueId}/${number}`));

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
  expect(ids(await claim(5000, 2))).toEqual(['Q2/0', 'Q3/0']);
  expect(ids(await claim(5000, 2))).toEqual(['Q1/0']);
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

test('countAhead() counts what is due before a job at its destination, claimed ones and others not, up to a limit', async () => {
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
  const ahead = (queueId: string, limit = 100) => world.store.countAhead({ queueId, number: 0 }, limit);
  expect(await Promise.all(['Q1', 'Q4', 'Q5', 'none'].map((id) => ahead(id)))).toEqual([0, 3, 0, 0]);
  expect(await ahead('Q4', 2)).toBe(2);
  await world.store.claim({ now: 1000, limit: 1, leaseMs: 9000 });
  expect(await ahead('Q4')).toBe(2);
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

test('retryJobs() makes matching unclaimed jobs due, however many', async () => {
  await using world = await temporaryStore();
  const jobs = Array.from({ length: 2500 }, (_, number) => sampleJob('Q1', { number, nextAttemptAt: 9000 }));
  await world.store.accept(sampleMessage('Q1', { jobs }));
  await world.store.accept(sampleMessage('Q2', { claimed: true }));
  expect(await world.store.retryJobs({ destination: 'example.net' }, 4000)).toBe(2500);
  expect(await world.store.nextDue()).toBe(4000);
  expect(await world.store.retryJobs({ destination: 'elsewhere.example' }, 1)).toBe(0);
});

test('dropJobs() removes matching unclaimed jobs with their message and says so in the dossier', async () => {
  await using world = await temporaryStore();
  await world.store.accept(sampleMessage('Q1', { jobs: [sampleJob('Q1'), sampleJob('Q1', { number: 1 })] }));
  await world.store.accept(sampleMessage('Q2', { claimed: true, events: [sampleEvent('Q2')] }));
  const dropped = await world.store.dropJobs({}, { at: 3000, event: 'dropped', data: { by: 'queue drop' } });
  expect(dropped).toEqual([sampleJob('Q1'), sampleJob('Q1', { number: 1 })]);
  const happened = await world.store.trace({ queueId: 'Q1', limit: 1 });
  expect(happened).toMatchObject([
    { at: 3000, event: 'dropped', recipient: 'recipient@example.net', data: { by: 'queue drop' } },
    { event: 'dropped' },
  ]);
  await world.store.accept(sampleMessage('Q1'));
  expect((await world.store.listJobs({ limit: 10 })).jobs.map(({ queueId }) => queueId)).toEqual([
    'Q1',
    'Q2',
  ]);
});

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
  for (const filter of [{}, { destination: 'a' }, { recipient: 'a' }, { queueId: 'a' }]) {
    perform(['listJobs', { filter, ...step }]);
    perform(['retryJobs', { filter, ...step, now: 1 }]);
  }
  const plans = statements
    .filter((sql) => / jobs /.test(sql) && !sql.startsWith('INSERT'))
    .flatMap((sql) => {
      const values = Array.from(sql.matchAll(/\?/g), () => 1);
      return prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(...values);
    });
  expect(plans.filter(({ detail }) => /^SCAN jobs$/.test(detail))).toEqual([]);
  database.close();
});
