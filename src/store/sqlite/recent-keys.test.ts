import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../testing/store.ts';
import { entriesOf } from './entries.ts';
import { createEventLog } from './event-log.ts';
import { openDatabase } from './schema.ts';

/** A log of its own, without a store around it. */
async function openLog() {
  const directory = await temporaryDirectory();
  const database = openDatabase(join(directory.path, 'test.db'), directory.path);
  const log = createEventLog(database);
  const count = (table: string) => database.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
  return {
    database,
    log,
    /** Keys and Message-IDs in their groups, and entries whose keys are not. */
    counts: () => [count('event_keys'), count('sent_ids'), count('recent_keys')],
    append(queueId: string, paddingBytes = 0) {
      const data = { from: 'a@example.com', padding: 'x'.repeat(paddingBytes) };
      for (const [id, lastAt, text, keys] of entriesOf([{ at: 1, queueId, event: 'accepted', data }]))
        log.append([id, lastAt, text, keys, `<${queueId.toLowerCase()}@example.com>`]);
    },
    found: () =>
      log
        .trace({ address: 'a@example.com', limit: 99 })
        .map(([queueId]) => queueId)
        .join(' '),
    async [Symbol.asyncDispose]() {
      database.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

test('keys lie in the order they come, and move into their groups together', async () => {
  await using world = await openLog();
  for (const id of ['Q1', 'Q2', 'Q3']) world.append(id, 200_000);
  expect(world.counts()).toEqual([0, 0, 3]);
  expect(world.found()).toBe('Q3 Q2 Q1');
  world.append('Q4', 200_000); // half a MiB after the first
  expect(world.counts()).toEqual([4, 4, 0]);
  world.append('Q5');
  expect(world.counts()).toEqual([4, 4, 1]);
  expect(world.found()).toBe('Q5 Q4 Q3 Q2 Q1');
  for (const id of ['q1', 'q5']) expect(world.log.isSentFromHere(`<${id}@Example.com>`)).toBe(true);
});

test('keys that moved in a transaction that was undone are where they were, and move later', async () => {
  await using world = await openLog();
  for (const id of ['Q1', 'Q2']) world.append(id);
  world.database.exec('BEGIN');
  world.append('Q3', 600_000);
  expect(world.counts()).toEqual([3, 3, 0]);
  world.database.exec('ROLLBACK');
  expect(world.counts()).toEqual([0, 0, 2]);
  expect(world.found()).toBe('Q2 Q1');
  expect(world.log.isSentFromHere('<Q3@example.com>')).toBe(false);
  world.append('Q4');
  world.append('Q5', 600_000);
  expect(world.counts()).toEqual([4, 4, 0]);
  expect(world.found()).toBe('Q5 Q4 Q2 Q1');
});

test('keys that lie ungrouped lead to nothing once their entries are pruned', async () => {
  await using world = await openLog();
  for (const id of ['Q1', 'Q2']) world.append(id, 1000);
  world.log.pruneEvents({ before: 0, maxBytes: 1500 });
  expect(world.found()).toBe('Q2');
  const isSent = (id: string) => world.log.isSentFromHere(`<${id}@example.com>`);
  expect([isSent('Q1'), isSent('Q2')]).toEqual([false, true]);
});
