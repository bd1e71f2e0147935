import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { reopenAsVersion } from '../../testing/earlier-store.ts';
import { sampleMessage, temporaryDirectory, temporaryStore } from '../../testing/store.ts';
import { StoreOpenError } from '../errors.ts';
import { openDatabase, openError, schemaVersion } from './schema.ts';

test('openDatabase() syncs every commit and keeps others out', async () => {
  await using directory = await temporaryDirectory();
  const database = openDatabase(join(directory.path, 'test.db'), directory.path);
  const setting = (name: string) => database.pragma(name, { simple: true });
  expect(setting('synchronous')).toBe(2);
  expect(setting('journal_mode')).toBe('wal');
  expect(setting('locking_mode')).toBe('exclusive');
  expect(setting('user_version')).toBe(schemaVersion);
  database.close();
});

test('openDatabase() leaves a long log of a run that was interrupted where it is', async () => {
  await using directory = await temporaryDirectory();
  const [path, crashed] = ['test.db', 'crashed.db'].map((name) => join(directory.path, name)) as [
    string,
    string,
  ];
  const database = openDatabase(path, directory.path);
  const insert = database.prepare('INSERT INTO events (queue_id, last_at, data) VALUES (?, 0, ?)');
  database.transaction(() => {
    for (let page = 0; page < 1100; page++) insert.run('Q1', 'x'.repeat(8000));
  })();
  await copyFile(path, crashed);
  await copyFile(`${path}-wal`, `${crashed}-wal`);
  database.close();
  const again = openDatabase(crashed, directory.path);
  const [log] = again.prepare<[], { log: number }>('PRAGMA wal_checkpoint(NOOP)').all();
  expect(log?.log).toBeGreaterThan(1100);
  again.close();
});

test('openDatabase() keeps the index of the log in memory, also of a database that is there already', async () => {
  await using directory = await temporaryDirectory();
  for (const _ of ['new', 'there already']) {
    const database = openDatabase(join(directory.path, 'test.db'), directory.path);
    expect(await readdir(directory.path)).toEqual(['test.db', 'test.db-wal']);
    database.close();
  }
});

test('openDatabase() leaves a database alone that is not its own', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'test.db');
  const other = new Database(path);
  other.exec('CREATE TABLE recipes (name TEXT)');
  other.close();
  expect(() => openDatabase(path, directory.path)).toThrow(StoreOpenError);
});

test.each([
  ['SQLITE_BUSY', 'in-use'],
  ['SQLITE_CANTOPEN', 'not-writable'],
  ['SQLITE_READONLY_DIRECTORY', 'not-writable'],
  ['SQLITE_FULL', 'full'],
  ['SQLITE_CORRUPT', 'damaged'],
])('openError() of %s is "%s"', (code, kind) => {
  expect(openError(new Database.SqliteError('as told', code), '/data')).toMatchObject({ kind });
});

test('openStore() brings a database of version 7 to the present', async () => {
  await using world = await temporaryStore();
  await world.store.accept(sampleMessage('Q1'));
  const store = await reopenAsVersion(world, 7);
  await store.accept(sampleMessage('Q2', { message: { traceparent: 'kept' } }));
  const claimed = await store.claim({ now: 1000, limit: 2, leaseMs: 1000 });
  expect(claimed.map(({ message }) => message.traceparent)).toEqual([undefined, 'kept']);
});

test('openStore() brings a database of version 6 to the present', async () => {
  await using world = await temporaryStore();
  await world.store.accept(sampleMessage('Q1'));
  const store = await reopenAsVersion(world, 6);
  await store.addReportMail({ queueId: 'R1', receivedAt: 1, facts: {}, octets: Buffer.from('x') });
  expect((await store.nextReportMail())?.queueId).toBe('R1');
  const [claimed] = await store.claim({ now: 1000, limit: 1, leaseMs: 1000 });
  expect(claimed?.jobs).toHaveLength(1);
});

test('openStore() brings a database of version 5 to the present', async () => {
  await using world = await temporaryStore();
  await world.store.addAccounts([{ address: 'a@example.com', passwordHash: 'x', createdAt: 1 }]);
  await world.store.accept(sampleMessage('Q1'));
  const store = await reopenAsVersion(world, 5);
  expect(await store.setSettings('a@example.com', { send: false })).toBe(true);
  const [claimed] = await store.claim({ now: 1000, limit: 1, leaseMs: 1000 });
  expect(claimed?.jobs).toHaveLength(1);
  expect(claimed?.jobs[0]).not.toHaveProperty('verdict');
});

test('openStore() brings a database of version 4 to the present', async () => {
  await using world = await temporaryStore();
  await world.store.accept(sampleMessage('Q1'));
  const store = await reopenAsVersion(world, 4);
  await store.writeMemos([{ kind: 'k', key: 'a', value: 1 }]);
  const [claimed] = await store.claim({ now: 1000, limit: 1, leaseMs: 1000 });
  expect(claimed?.message).not.toHaveProperty('requests');
  expect(claimed?.jobs).toHaveLength(1);
});
