import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { StoreBrokenError, StoreFullError } from '../errors.ts';
import { linkTo } from './link.ts';
import type { Batch, BatchReply, Operation, Report } from './protocol.ts';

/** A store thread whose answers the test gives. */
class ScriptedWorker extends EventEmitter {
  readonly batches: Operation[][] = [];

  postMessage(batch: Batch): void {
    if (typeof batch === 'object') this.batches.push(batch.operations);
    this.emit(batch === 'close' ? 'exit' : 'batch');
  }

  answer(...replies: BatchReply[]): void {
    this.emit('message', { kind: 'done', replies, blocks: [] } satisfies Report);
  }

  async nextBatch(): Promise<void> {
    await new Promise((resolve) => this.once('batch', resolve));
  }
}

function world() {
  const worker = new ScriptedWorker();
  // Only what the link uses of a Worker is there.
  return { worker, link: linkTo(worker as unknown as Worker) };
}

test('call() sends what is asked for in one turn as one batch, and gives each its answer', async () => {
  const { worker, link } = world();
  const answers = Promise.allSettled(['a', 'b', 'c'].map((domain) => link.call('firstAccount', domain)));
  await worker.nextBatch();
  expect(worker.batches).toEqual([
    [
      ['firstAccount', 'a'],
      ['firstAccount', 'b'],
      ['firstAccount', 'c'],
    ],
  ]);
  worker.answer({ values: ['A'], failures: [[1, { kind: 'full', message: 'no room' }]] });
  expect(await answers).toEqual([
    { status: 'fulfilled', value: 'A' },
    { status: 'rejected', reason: new StoreFullError('The disk is full: no room') },
    { status: 'fulfilled', value: undefined },
  ]);
  expect(link.idle).toBe(true);
});

test('freeze() rejects with why it is not, and with the loss of the store', async () => {
  const { worker, link } = world();
  const frozen = link.freeze();
  await expect(link.thaw()).rejects.toThrow('One order at a time');
  worker.emit('message', { kind: 'frozen', failure: { kind: 'full', message: 'no room' } } satisfies Report);
  await expect(frozen).rejects.toThrow(StoreFullError);
  const thawed = link.thaw();
  worker.emit('message', { kind: 'lost', message: 'EIO' } satisfies Report);
  await expect(thawed).rejects.toThrow(StoreBrokenError);
});

test('the next batch gathers until an answer comes', async () => {
  const { worker, link } = world();
  void link.call('nextDue', undefined);
  await worker.nextBatch();
  void link.call('nextDue', undefined);
  await new Promise(setImmediate);
  void link.call('nextDue', undefined);
  await new Promise(setImmediate);
  expect(worker.batches).toHaveLength(1);
  worker.answer({});
  await worker.nextBatch();
  expect(worker.batches[1]).toHaveLength(2);
});

test('a lost store rejects all that is pending and all that comes later, and says so', async () => {
  const { worker, link } = world();
  const first = link.call('nextDue', undefined);
  await worker.nextBatch();
  const second = link.call('nextDue', undefined);
  worker.answer({ failures: [[0, { kind: 'lost', message: 'disk I/O error' }]] });
  await expect(first).rejects.toThrow(StoreBrokenError);
  await expect(second).rejects.toThrow(StoreBrokenError);
  await expect(link.call('nextDue', undefined)).rejects.toThrow('disk I/O error');
  expect(await link.broken).toBeInstanceOf(StoreBrokenError);
});

test.each([
  [
    'a failed checkpoint',
    (worker: ScriptedWorker) => worker.emit('message', { kind: 'lost', message: 'disk' }),
  ],
  ['an exception in the thread', (worker: ScriptedWorker) => worker.emit('error', new Error('disk'))],
  ['the end of the thread', (worker: ScriptedWorker) => worker.emit('exit')],
])('%s breaks the store', async (_, happens) => {
  const { worker, link } = world();
  const pending = link.call('nextDue', undefined);
  happens(worker);
  await expect(pending).rejects.toThrow(StoreBrokenError);
  expect(await link.broken).toBeInstanceOf(StoreBrokenError);
});

test('close() leaves nothing pending where the thread ends without an answer', async () => {
  const { worker, link } = world();
  const pending = link.call('nextDue', undefined);
  await worker.nextBatch();
  await Promise.all([link.close(), expect(pending).rejects.toThrow(StoreBrokenError)]);
});
