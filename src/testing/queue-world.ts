/** A store and a clock for queues that tests make, each before their eyes (queue-stage.ts), and letters for them. */

import { afterAll, beforeAll, beforeEach, expect, vi } from 'vitest';
import type { QueueParts } from '../queue/queue.ts';
import type { NewMessage, QueuePage } from '../store/queue-store.ts';
import type { Store } from '../store/store.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import { QueueStage } from './queue-stage.ts';
import { changeAllJobs, sampleJob, sampleMessage, type TemporaryStore, temporaryStore } from './store.ts';

const lifetimeMs = 100 * 24 * 3600_000;

export interface QueueWorld {
  /** A new one for each test. */
  readonly clock: FakeClock;
  readonly store: Store;
  /** As after a crash of the process. */
  reopen(): Promise<Store>;
  /** A message with a job, due now, for each recipient. */
  letter(...recipients: string[]): Omit<NewMessage, 'claimed'>;
  newStage(parts?: Partial<QueueParts>): QueueStage;
  /** The jobs in the store. */
  queued(): Promise<QueuePage['jobs']>;
  /** Lets time pass until so many have begun, slowly enough for the store to follow. */
  begunInTime(stage: QueueStage, times: number, stepMs?: number): Promise<void>;
}

/** For all tests of a file: one store, empty of jobs at the beginning of each. */
export function queueWorld(): QueueWorld {
  let temporary: TemporaryStore;
  let clock: FakeClock;
  let count = 0;
  beforeAll(async () => {
    temporary = await temporaryStore();
  });
  afterAll(() => temporary[Symbol.asyncDispose]());
  beforeEach(async () => {
    clock = fakeClock();
    await changeAllJobs(temporary.store, { kind: 'drop' }); // what an earlier test left
  });
  return {
    get clock() {
      return clock;
    },
    get store() {
      return temporary.store;
    },
    reopen: () => temporary.reopen(),
    letter: (...recipients) => letterOf(`Q${count++}`, clock.now(), recipients),
    newStage: (parts = {}) => new QueueStage({ store: temporary.store, clock, ...parts }),
    queued: async () => (await temporary.store.listJobs({ limit: 100 })).jobs,
    begunInTime: (stage, times, stepMs = 30_000) =>
      vi.waitFor(
        () => {
          if (stage.begun.length < times) clock.advance(stepMs);
          expect(stage.begun.length).toBeGreaterThanOrEqual(times);
        },
        { timeout: 20_000, interval: 20 },
      ),
  };
}

function letterOf(queueId: string, now: number, recipients: string[]): Omit<NewMessage, 'claimed'> {
  const times = { queuedAt: now, nextAttemptAt: now, expiresAt: now + lifetimeMs };
  const jobs = recipients.map((recipient, number) =>
    sampleJob(queueId, {
      number,
      recipient,
      destination: recipient.slice(recipient.indexOf('@') + 1),
      ...times,
    }),
  );
  return sampleMessage(queueId, { jobs });
}
