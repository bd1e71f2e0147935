import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { temporaryDirectory } from '../../testing/store.ts';
import { openDatabase } from './schema.ts';
import { createCheckpoints, createReclaim, examineRest } from './upkeep.ts';

const megabyte = Buffer.alloc(1024 * 1024, 'x');

async function world() {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'test.db');
  const database = openDatabase(path, directory.path);
  const insert = database.prepare(
    `INSERT INTO messages (queue_id, accepted_at, reverse_path, size_bytes, eight_bit, smtputf8, failures_to, prefix_bytes, octets)
     VALUES (?, 0, '', 0, 0, 0, 'nobody', 0, ?)`,
  );
  return {
    database,
    insert: (name: string) => insert.run(name, megabyte),
    fileBytes: () => statSync(path).size,
    async [Symbol.asyncDispose]() {
      database.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

test('createCheckpoints() copies the log back when it has grown, so that it does not grow on', async () => {
  await using w = await world();
  const frames = w.database.prepare<[], number[]>('PRAGMA wal_checkpoint(NOOP)').raw();
  const { afterGroup } = createCheckpoints({
    get logPages() {
      return frames.get()?.[1] ?? 0;
    },
    isEven: true,
    checkpoint: () => void w.database.pragma('wal_checkpoint(PASSIVE)'),
  });
  for (let group = 0; group < 64; group++) {
    w.insert(`Q${group}`);
    afterGroup();
  }
  expect(w.fileBytes()).toBeGreaterThan(32 * megabyte.length);
});

test('freeze() leaves the file as it is until thaw(), or until the log is too long', () => {
  const checkpoint = vi.fn(() => {
    books.logPages = 0;
  });
  const books = { logPages: 3000, isEven: true, checkpoint };
  const checkpoints = createCheckpoints(books, { mostFrozen: 5000 });
  expect(checkpoints.freeze()).toBe(true);
  expect(books.checkpoint).toHaveBeenCalledTimes(1);
  books.logPages = 5000;
  checkpoints.afterGroup();
  expect(books.checkpoint).toHaveBeenCalledTimes(1);
  expect(checkpoints.thaw()).toBe(true);
  checkpoints.afterGroup();
  expect(books.checkpoint).toHaveBeenCalledTimes(2);
  checkpoints.freeze();
  books.logPages = 5001;
  checkpoints.afterGroup();
  expect(books.checkpoint).toHaveBeenCalledTimes(4);
  expect(checkpoints.thaw()).toBe(false);
});

test('freeze() is refused where the log cannot be copied back', () => {
  const checkpoints = createCheckpoints({ logPages: 3000, isEven: false, checkpoint: () => undefined });
  expect(checkpoints.freeze()).toBe(false);
  expect(checkpoints.thaw()).toBe(false);
});

test('createReclaim() gives free pages back by steps, but for those kept for reuse', async () => {
  await using w = await world();
  for (let number = 0; number < 64; number++) w.insert(`Q${number}`);
  w.database.exec('DELETE FROM messages');
  w.database.pragma('wal_checkpoint(TRUNCATE)');
  const before = w.fileBytes();
  const reclaim = createReclaim(w.database);
  let steps = 0;
  while (reclaim()) steps += 1;
  w.database.pragma('wal_checkpoint(TRUNCATE)');
  expect(steps).toBeGreaterThan(10);
  expect(before - w.fileBytes()).toBeGreaterThan(32 * megabyte.length);
});

test('examineRest() goes on between the groups until all is compared, and tells of damage once', async () => {
  const answers = [true, true, false];
  const compareMore = vi.fn(() => answers.shift() ?? false);
  const stop = examineRest({ compareMore }, () => {});
  await vi.waitFor(() => expect(compareMore).toHaveBeenCalledTimes(3));
  stop();
  const failed = vi.fn();
  examineRest(
    {
      compareMore: () => {
        throw new Error('page 3');
      },
    },
    failed,
  );
  await vi.waitFor(() => expect(failed).toHaveBeenCalledOnce());
});
