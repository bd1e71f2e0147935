/** For tests: a store in a directory of its own that goes with it, and the rows of a message as short as possible. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventRow } from '../store/event-store.ts';
import type { JobRow } from '../store/job.ts';
import type { MessageRow } from '../store/message.ts';
import type { JobChange, NewMessage, QueueFilter } from '../store/queue-store.ts';
import { openStore } from '../store/sqlite/open.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';

export interface TemporaryDirectory extends AsyncDisposable {
  path: string;
}

export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'posthorn-store-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export interface TemporaryStore extends AsyncDisposable {
  readonly store: Store;
  readonly dataDir: string;
  /** Closes the store and opens it anew, as a restart does. */
  reopen(): Promise<Store>;
}

export async function temporaryStore({ clock }: { clock?: Clock } = {}): Promise<TemporaryStore> {
  const directory = await temporaryDirectory();
  const open = () => openStore({ dataDir: directory.path, ...(clock && { clock }) });
  let store = await open();
  return {
    get store() {
      return store;
    },
    dataDir: directory.path,
    async reopen() {
      await store.close();
      store = await open();
      return store;
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

export function sampleJob(queueId: string, changes: Partial<JobRow> = {}): JobRow {
  return {
    queueId,
    number: 0,
    recipient: 'recipient@example.net',
    kind: 'remote',
    destination: 'example.net',
    attempts: 0,
    queuedAt: 1000,
    nextAttemptAt: 1000,
    expiresAt: 9000,
    ...changes,
  };
}

export function sampleEvent(queueId: string, changes: Partial<EventRow> = {}): EventRow {
  return { at: 1000, queueId, event: 'accepted', data: {}, ...changes };
}

export interface Sample extends Omit<Partial<NewMessage>, 'message'> {
  message?: Partial<MessageRow>;
}

/** One small message from sender@example.com to recipient@example.net, its job due at 1000 and not claimed. */
export function sampleMessage(queueId: string, { message, ...rest }: Sample = {}): NewMessage {
  const prefix = Buffer.from('Received: by mx.example.com\r\n');
  const bytes = Buffer.from('Subject: hello\r\n\r\nHello.\r\n');
  return {
    message: {
      queueId,
      acceptedAt: 1000,
      reversePath: 'sender@example.com',
      prefix,
      content: { kind: 'inline', bytes },
      sizeBytes: prefix.length + bytes.length,
      eightBit: false,
      smtputf8: false,
      failuresTo: 'sender',
      ...message,
    },
    jobs: [sampleJob(queueId)],
    events: [],
    claimed: false,
    ...rest,
  };
}

/** Changes all matching jobs that are not claimed; resolves to how many. */
export async function changeAllJobs(
  store: Store,
  change: JobChange,
  { filter = {}, now = 0 }: { filter?: QueueFilter; now?: number } = {},
): Promise<number> {
  const events = { done: { event: change.kind, data: { by: 'a test' } } };
  let count = 0;
  for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
    const step = { filter, change, now, by: 'a test', events, limit: 1000 };
    const { jobs, next } = await store.changeJobs(after === undefined ? step : { ...step, after });
    count += jobs.length;
    after = next;
  }
  return count;
}

/** All that an iterable yields. */
export async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** All that an iterable yields, as one text. */
export async function textOf(octets: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of octets) chunks.push(chunk);
  return String(Buffer.concat(chunks));
}

/** `QUEUEID/NUMBER` of each job, in order. */
export const jobNames = (claimed: { jobs: { queueId: string; number: number; inDoubt?: boolean }[] }[]) =>
  claimed.flatMap(({ jobs }) => jobs.map(({ queueId, number }) => `${queueId}/${number}`));
