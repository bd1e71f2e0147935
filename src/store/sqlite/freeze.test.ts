import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { sampleMessage, temporaryStore } from '../../testing/store.ts';
import { storeFiles } from './store-files.ts';

test('freeze() leaves a database file that has all that was acknowledged, and does not change', async () => {
  await using world = await temporaryStore();
  const { store, dataDir } = world;
  const { database } = storeFiles(dataDir);
  await store.accept(sampleMessage('Q1'));
  const frozen = await store.freeze();
  const before = readFileSync(database);
  const copy = join(dataDir, 'copy.db');
  copyFileSync(database, copy);
  // More than the log has room for, usually.
  const large = Buffer.alloc(1024 * 1024, 'x');
  for (let number = 0; number < 20; number++)
    await store.accept(
      sampleMessage(`R${number}`, { message: { content: { kind: 'inline', bytes: large } } }),
    );
  expect(readFileSync(database).equals(before)).toBe(true);
  expect(await frozen.end()).toBe(true);
  await store.accept(sampleMessage('Q2'));
  expect(readFileSync(database).equals(before)).toBe(false);
  const names = new Database(copy).prepare('SELECT queue_id FROM messages').pluck().all();
  expect(names).toEqual(['Q1']);
});
