import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type DeliveryGroup, groupOf } from '../queue/hand-out.ts';
import { siteWithoutRoute } from '../queue/site-name.ts';
import { adminParts } from '../testing/admin.ts';
import {
  changeAllJobs,
  sampleJob,
  sampleMessage,
  type TemporaryStore,
  temporaryStore,
} from '../testing/store.ts';
import { orderSteps } from './order-steps.ts';
import { type QueueOperations, queueOperations } from './queue-operations.ts';
import type { QueueSelection } from './shapes/queue.ts';

let directory: TemporaryStore;
beforeAll(async () => {
  directory = await temporaryStore();
});
afterAll(() => directory[Symbol.asyncDispose]());

let looks: boolean[];
/** What waits in the server's memory. */
let inLine: DeliveryGroup[];
let operations: QueueOperations;
const sites: Record<string, string> = {
  'a.example': '1 mx.big.example:25',
  'b.example': '1 mx.small.example:25',
  'c.example': '1 mx.big.example:25',
  'd.example': '1 mx.big.example:25',
  '': 'local',
};

beforeEach(async () => {
  const { store } = directory;
  await changeAllJobs(store, { kind: 'drop' });
  looks = [];
  inLine = [];
  const siteOf = async (destination: string) => sites[destination] ?? `no route to ${destination}`;
  operations = queueOperations({
    ...adminParts(store, { siteOf }),
    look: (all) => looks.push(all),
    withhold: async () => () => undefined,
    inLine: () => inLine,
  });
  // Message after message, each to all domains, and to one of ours.
  for (const id of ['Q1', 'Q2', 'Q3']) {
    const jobs = Object.keys(sites).map((destination, number) =>
      sampleJob(id, {
        number,
        destination,
        recipient: destination === '' ? 'bob@example.com' : `x@${destination}`,
        kind: destination === '' ? 'local' : 'remote',
        nextAttemptAt: 5000,
        expiresAt: 9e12,
      }),
    );
    await store.accept(sampleMessage(id, { jobs }));
  }
});

const ordered = { by: 'root' };

/** All that a selection lists, page by page. */
async function listed(selection: QueueSelection, limit: number): Promise<string[]> {
  const found: string[] = [];
  for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
    const page = await operations.listQueue({ ...selection, limit, ...(after !== undefined && { after }) });
    expect(page.jobs.length).toBeLessThanOrEqual(limit);
    found.push(...page.jobs.map(({ queueId, recipient }) => `${queueId} ${recipient}`));
    after = page.next;
  }
  return found;
}

describe('a selection by site', () => {
  test.each([1, 2, 3, 4, 9, 100])('lists each of its domains in turn, in pages of %i', async (limit) => {
    const expected = ['a', 'c', 'd'].flatMap((name) =>
      ['Q1', 'Q2', 'Q3'].map((id) => `${id} x@${name}.example`),
    );
    expect(await listed({ site: 'big.example' }, limit)).toEqual(expected);
  });

  test('is narrowed by the rest of it', async () => {
    expect(await listed({ site: 'mx.big.example', domain: 'C.example', queueId: 'Q2' }, 10)).toEqual([
      'Q2 x@c.example',
    ]);
    expect(await listed({ site: 'mx.big.example', domain: 'b.example' }, 10)).toEqual([]);
    expect(await listed({ site: 'local' }, 2)).toEqual(
      ['Q1', 'Q2', 'Q3'].map((id) => `${id} bob@example.com`),
    );
  });

  test('is counted and changed as a whole', async () => {
    const selection = { site: 'mx.big.example' };
    expect(await operations.countQueue(selection)).toEqual({ waiting: 9, held: 0, underway: 0 });
    const held: string[] = [];
    const steps: number[] = [];
    for await (const jobs of orderSteps(operations, { selection, order: { kind: 'hold' }, ...ordered })) {
      held.push(...jobs.map(({ recipient }) => recipient));
      steps.push(jobs.length);
    }
    expect(held).toHaveLength(9);
    expect(steps.filter((count) => count > 0)).toEqual([3, 3, 3]); // its domains in turn
    expect(await operations.countQueue(selection)).toEqual({ waiting: 0, held: 9, underway: 0 });
    expect(await operations.countQueue({})).toEqual({ waiting: 6, held: 9, underway: 0 });
  });
});

test('a domain of ours means local delivery there', async () => {
  expect(await listed({ domain: 'Example.com' }, 10)).toHaveLength(3);
  expect(await listed({ domain: 'xn--bcher-kva.example' }, 10)).toEqual([]);
});

test('a retry makes all due, and looks at the end whatever is known of their sites; a release only looks', async () => {
  const selection = { site: 'mx.small.example' };
  await operations.orderQueue({ selection, order: { kind: 'retry' }, ...ordered });
  expect(looks).toEqual([true]);
  await operations.orderQueue({ selection: { queueId: 'Q1' }, order: { kind: 'hold' }, ...ordered });
  await operations.orderQueue({ selection: { queueId: 'Q1' }, order: { kind: 'release' }, ...ordered });
  expect(looks).toEqual([true, false]);
  expect(await directory.store.trace({ queueId: 'Q1', limit: 1 })).toMatchObject(
    expect.arrayContaining([expect.objectContaining({ event: 'retried', recipient: 'x@b.example' })]),
  );
});

test('what names no domain or no site selects nothing, least of all local delivery', async () => {
  for (const selection of [{ domain: '' }, { domain: 'no domain' }, { site: ' ' }])
    await expect(
      operations.orderQueue({ selection, order: { kind: 'drop' }, ...ordered }),
    ).rejects.toMatchObject({ code: 'bad-request' });
  expect(await operations.countQueue({})).toMatchObject({ waiting: 15 });
});

test('what may go to a site while DNS does not answer is not taken for nothing', async () => {
  const request = { selection: { site: 'mx.new.example' }, ...ordered };
  expect(await operations.orderQueue({ ...request, order: { kind: 'hold' } })).toEqual({ jobs: [] });
  sites['d.example'] = siteWithoutRoute('d.example');
  try {
    const failing = operations.orderQueue({ ...request, order: { kind: 'hold' } });
    await expect(failing).rejects.toMatchObject({
      code: 'no-route',
      message: /mail for d\.example, to which/,
    });
    await expect(listed({ site: 'mx.new.example' }, 10)).rejects.toMatchObject({ code: 'no-route' });
    const counted = (mustKnow: boolean) => operations.countQueue({ site: 'mx.new.example', mustKnow });
    await expect(counted(true)).rejects.toMatchObject({ code: 'no-route' });
    expect(await counted(false)).toEqual({ waiting: 0, held: 0, underway: 0 });
    expect(await listed({ site: 'mx.big.example' }, 10)).toHaveLength(6);
  } finally {
    sites['d.example'] = '1 mx.big.example:25';
  }
});

test('each step of a redirection makes the queue look', async () => {
  const to = 'new@d.example';
  const request = {
    selection: { site: 'mx.big.example' },
    order: { kind: 'redirect', to },
    ...ordered,
  } as const;
  const { jobs, next } = await operations.orderQueue(request);
  expect(jobs).toHaveLength(3);
  expect(next).toBeDefined();
  expect(looks).toEqual([false]);
});

test('a bounce that fails leaves nothing claimed: it would be taken for interrupted attempts', async () => {
  const { store } = directory;
  const bounce = () => Promise.reject(new Error('no report can be written'));
  const failing = queueOperations({
    ...adminParts(store, { bounce }),
    look: () => undefined,
    inLine: () => [],
  });
  const order = failing.orderQueue({ selection: {}, order: { kind: 'bounce' }, ...ordered });
  await expect(order).rejects.toThrow('no report can be written');
  expect(await operations.countQueue({})).toEqual({ waiting: 15, held: 0, underway: 0 });
});

test('what stands in line waits, and only the rest of what is claimed is being tried', async () => {
  const { store } = directory;
  const claimed = await store.claim({ now: 9000, limit: 100, leaseMs: 1e6 });
  const [first] = claimed.filter(({ message }) => message.queueId === 'Q1');
  const waiting = first?.jobs.filter(({ destination }) => destination !== 'b.example') ?? [];
  if (first) inLine = [groupOf('1 mx.big.example:25', first.message, waiting)];
  expect(await operations.countQueue({})).toEqual({ waiting: 4, held: 0, underway: 11 });
  expect(await operations.countQueue({ queueId: 'Q1' })).toEqual({ waiting: 4, held: 0, underway: 1 });
  expect(await operations.countQueue({ queueId: 'Q2' })).toEqual({ waiting: 0, held: 0, underway: 5 });
  const { jobs } = await operations.listQueue({ queueId: 'Q1', limit: 10 });
  expect(jobs.filter((job) => job.inLine && !job.claimed)).toHaveLength(4);
  expect(jobs.filter((job) => job.claimed).map(({ destination }) => destination)).toEqual(['b.example']);
  expect(await listed({ state: 'waiting' }, 3)).toEqual(waiting.map(({ recipient }) => `Q1 ${recipient}`));
  expect(await listed({ state: 'underway', queueId: 'Q1' }, 3)).toEqual(['Q1 x@b.example']);
  const none = { waiting: 0, held: 0, underway: 0 };
  expect(await operations.countQueue({ state: 'waiting' })).toEqual({ ...none, waiting: 4 });
  expect(await operations.countQueue({ state: 'underway' })).toEqual({ ...none, underway: 11 });
  await store.release(claimed.flatMap((each) => each.jobs));
});

test('an order about what is being tried, or held, leaves what stands in line where it is', async () => {
  const withheld: boolean[] = [];
  const own = queueOperations({
    ...adminParts(directory.store),
    look: () => undefined,
    inLine: () => [],
    withhold: async (_, recall) => {
      withheld.push(recall);
      return () => undefined;
    },
  });
  for (const state of ['held', 'underway', 'waiting'] as const)
    await own.orderQueue({ selection: { state }, order: { kind: 'drop' }, ...ordered });
  expect(withheld).toEqual([true]);
});

test('listQueue() tells of each recipient which suspension keeps it', async () => {
  const suspension = { scope: 'site', name: 'big.example', by: 'root', at: 1 } as const;
  await directory.store.writeMemos([{ kind: 'suspension', key: 'site big.example', value: suspension }]);
  const { jobs } = await operations.listQueue({ queueId: 'Q1', limit: 10 });
  const suspended = jobs.filter((job) => job.suspended !== undefined).map(({ recipient }) => recipient);
  expect(suspended).toEqual(['x@a.example', 'x@c.example', 'x@d.example']);
  await directory.store.removeMemos('suspension', ['site big.example']);
});
