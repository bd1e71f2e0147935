import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Directory } from '../../queue/directory.ts';
import type { JobRow } from '../../store/job.ts';
import type { NewMessage } from '../../store/queue-store.ts';
import { type FakeClock, fakeClock } from '../../testing/fake-clock.ts';
import {
  changeAllJobs,
  sampleJob,
  sampleMessage,
  type TemporaryStore,
  temporaryStore,
} from '../../testing/store.ts';
import { createLog } from '../../util/log.ts';
import { DelayWatch, graceMs, lookMs } from './delay-watch.ts';

const hour = 3600_000;
const start = 1_000_000;

let clock: FakeClock;
let place: TemporaryStore;
let told: NewMessage['message'][];
let looks: number;
/** Nobody can be looked up. */
let isBroken: boolean;
let watch: DelayWatch;

beforeEach(async () => {
  clock = fakeClock(start);
  place = await temporaryStore({ clock });
  told = [];
  looks = 0;
  isBroken = false;
  watch = watchFor(4 * hour);
});
afterEach(async () => {
  await watch.stop();
  await place[Symbol.asyncDispose]();
});

function watchFor(delayWarningMs: number): DelayWatch {
  const { store } = place;
  let reports = 0;
  const directory = new Directory({
    domains: [{ name: 'example.com' }],
    store: {
      async findAccount(address) {
        if (isBroken && address === 'broken@example.com') throw new Error('no answer');
        return { address, passwordHash: '', createdAt: 0 };
      },
      findAlias: async () => undefined,
      firstAccount: async () => undefined,
      listAliases: async () => [],
    },
  });
  const nextQueueId = () => `Z${String(++reports).padStart(13, '0')}`;
  return new DelayWatch({
    store: {
      listJobs: (page) => {
        looks++;
        return store.listJobs(page);
      },
      claim: (request) => store.claim(request),
      release: (names, holdUntil) => store.release(names, holdUntil),
    },
    queue: {
      async settle(settlement) {
        told.push(...settlement.reports.map(({ message }) => message));
        // Reports are not delivered here.
        await store.settle({ ...settlement, reports: [] });
      },
    },
    report: { hostname: 'mx.example.com', directory, signers: new Map(), nextQueueId, clock },
    retry: { delayWarningMs },
    clock,
    log: createLog('silent'),
  });
}

const accept = (queueId: string, changes: Partial<JobRow> = {}, more: Partial<NewMessage> = {}) =>
  place.store.accept({
    ...sampleMessage(queueId, { message: { acceptedAt: start } }),
    jobs: [
      sampleJob(queueId, {
        queuedAt: start,
        nextAttemptAt: start + 100 * hour,
        expiresAt: start + 120 * hour,
        lastError: '451 4.7.1 Later',
        ...changes,
      }),
    ],
    ...more,
  });

/** Lets time pass, and looks. */
async function pass(durationMs: number): Promise<void> {
  clock.advance(durationMs);
  await watch.look();
}

const jobs = async () => (await place.store.listJobs({ limit: 1000 })).jobs;
const text = () =>
  told.map(({ content }) => (content.kind === 'inline' ? content.bytes.toString() : '')).join();

describe('DelayWatch', () => {
  test('tells nothing of what an operator holds, before it is released', async () => {
    await accept('Q1');
    await changeAllJobs(place.store, { kind: 'hold' }, { now: clock.now() });
    await pass(5 * hour);
    expect(told).toEqual([]);
    await changeAllJobs(place.store, { kind: 'release' }, { now: clock.now() });
    await pass(lookMs);
    expect(told).toHaveLength(1);
  });

  test('tells once of what has waited for four hours, and leaves it waiting as it was', async () => {
    await accept('Q1', { attempts: 3 });
    await pass(4 * hour + graceMs - lookMs);
    expect(told).toEqual([]);
    await pass(2 * lookMs);
    expect(told).toHaveLength(1);
    expect(text()).toContain('Action: delayed\r\nStatus: 4.7.1');
    expect(text()).toContain('451 4.7.1 Later');
    expect(await jobs()).toMatchObject([
      {
        nextAttemptAt: start + 100 * hour,
        claimed: false,
        memo: { told: ['delay'] },
        lastError: '451 4.7.1 Later',
        attempts: 3,
      },
    ]);
    await pass(lookMs);
    await pass(lookMs);
    expect(told).toHaveLength(1);
  });

  test('tells of what waits behind a held destination, and of young mail only when it is late', async () => {
    await accept('Q1', { nextAttemptAt: start });
    await place.store.claim({ now: start, limit: 1, leaseMs: hour });
    await place.store.release([{ queueId: 'Q1', number: 0 }], start + 50 * hour);
    await accept('Q2', { queuedAt: start + 2 * hour });
    await pass(4 * hour + graceMs + lookMs);
    expect(told.map(({ queueId }) => queueId)).toHaveLength(1);
    await pass(2 * hour);
    expect(told).toHaveLength(2);
  });

  test('who cannot be told is told later: the others now, and nothing stays claimed', async () => {
    const { message } = sampleMessage('Q1', { message: { reversePath: 'broken@example.com' } });
    await accept('Q1', {}, { message });
    await accept('Q2');
    isBroken = true;
    await pass(5 * hour);
    expect(told).toHaveLength(1);
    expect(await jobs()).toMatchObject([
      { queueId: 'Q1', claimed: false },
      { queueId: 'Q2', claimed: false, memo: { told: ['delay'] } },
    ]);
    expect((await jobs())[0]).not.toHaveProperty('memo');
    isBroken = false;
    await pass(lookMs);
    expect(told).toHaveLength(2);
  });

  test('leaves alone what is being tried, and comes back to it', async () => {
    await accept('Q1', {}, { claimed: true });
    await accept('Q2');
    await pass(4 * hour + graceMs + lookMs);
    expect(told).toHaveLength(1);
    await place.store.release([{ queueId: 'Q1', number: 0 }]);
    await pass(lookMs);
    expect(told).toHaveLength(2);
  });

  test('leaves a doubt in doubt', async () => {
    await accept('Q1', { inDoubt: true });
    await pass(4 * hour + graceMs + lookMs);
    expect(told).toEqual([]);
    expect(await jobs()).toMatchObject([{ inDoubt: true }]);
  });

  test('RFC 3461: tells nobody who does not want to hear of delays', async () => {
    await accept('Q1', { requests: { notify: ['failure'] } });
    await pass(4 * hour + graceMs + lookMs);
    expect(told).toEqual([]);
  });

  test('finds each of many jobs, page by page', async () => {
    const many = Array.from({ length: 450 }, (_, number) => `Q${String(number).padStart(3, '0')}`);
    for (const queueId of many) await accept(queueId);
    await pass(4 * hour + graceMs + lookMs);
    expect(told).toHaveLength(450);
    const before = looks;
    await pass(lookMs);
    expect(looks - before).toBe(1);
  });

  test('looks again and again, until it is stopped; never where nobody is to be told', async () => {
    await watchFor(Number.POSITIVE_INFINITY).look();
    expect(looks).toBe(0);
    watch.start();
    clock.advance(lookMs);
    await watch.stop();
    expect(looks).toBe(1);
    clock.advance(lookMs);
    expect(looks).toBe(1);
  });
});
