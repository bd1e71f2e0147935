import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { sampleMessage, temporaryDirectory, temporaryStore } from '../../testing/store.ts';
import { ownVersion } from '../../util/own-version.ts';
import { StoreOpenError } from '../errors.ts';
import { openStore } from './open.ts';
import { schemaVersion } from './schema.ts';

/** A process of its own that opens the store in `dataDir` and then runs `script`; its lines of output. */
function otherProcess(dataDir: string, script: string) {
  const source = `
    const { openStore } = await import(${JSON.stringify(new URL('./open.ts', import.meta.url).href)});
    const { sampleMessage } = await import(${JSON.stringify(new URL('../../testing/store.ts', import.meta.url).href)});
    const store = await openStore({ dataDir: ${JSON.stringify(dataDir)} });
    ${script}`;
  const child = spawn(process.execPath, ['-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { child, lines: createInterface({ input: child.stdout }) };
}

async function openFailure(dataDir: string): Promise<StoreOpenError> {
  const error: unknown = await openStore({ dataDir }).catch((reason: unknown) => reason);
  if (error instanceof StoreOpenError) return error;
  throw new Error(`Expected a StoreOpenError, got ${String(error)}`);
}

test('openStore() makes a directory that is private to its user', async () => {
  await using directory = await temporaryDirectory();
  const dataDir = join(directory.path, 'deep', 'data');
  await (await openStore({ dataDir })).close();
  for (const part of ['', 'store', 'spool', 'accounts']) {
    expect((await stat(join(dataDir, part))).mode & 0o777).toBe(0o700);
  }
});

test('openStore() notes which version has used the store, and what schema it has now', async () => {
  await using directory = await temporaryDirectory();
  await (await openStore({ dataDir: directory.path })).close();
  const note = await readFile(join(directory.path, 'store', 'written-by'), 'utf8');
  expect(note).toBe(`Posthorn ${await ownVersion()}\nschema ${schemaVersion}\n`);
});

test('openStore() refuses a directory that another process uses', async () => {
  await using directory = await temporaryDirectory();
  const { child, lines } = otherProcess(directory.path, `console.log('open')`);
  await once(lines, 'line');
  const failure = await openFailure(directory.path);
  expect(failure.kind).toBe('in-use');
  expect(failure.message).toContain(`data directory ${directory.path} is in use by another Posthorn process`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await (await openStore({ dataDir: directory.path })).close();
});

test('openStore() refuses a directory that this process uses already', async () => {
  await using world = await temporaryStore();
  expect((await openFailure(world.dataDir)).kind).toBe('in-use');
  await world.store.accept(sampleMessage('Q1'));
});

test('openStore() refuses the schema of another version and says which', async () => {
  await using directory = await temporaryDirectory();
  await (await openStore({ dataDir: directory.path })).close();
  const database = new Database(join(directory.path, 'store', 'posthorn.db'));
  database.pragma(`user_version = ${schemaVersion + 1}`);
  database.close();
  await rm(join(directory.path, 'store', 'posthorn.db-sums'));
  const failure = await openFailure(directory.path);
  expect(failure.kind).toBe('version');
  expect(failure.message).toContain(`schema version ${schemaVersion + 1}`);
});

test('openStore() refuses a path that is no directory', async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, 'file');
  await writeFile(file, '');
  expect((await openFailure(file)).kind).toBe('not-writable');
});

test('openStore() refuses a file that is no database', async () => {
  await using directory = await temporaryDirectory();
  await mkdir(join(directory.path, 'store'));
  await writeFile(join(directory.path, 'store', 'posthorn.db'), 'not a database'.repeat(1000));
  expect((await openFailure(directory.path)).kind).toBe('damaged');
});

test('close() lets what was asked for be done, and refuses what comes later', async () => {
  await using world = await temporaryStore();
  const { store } = world;
  const accepted = Array.from({ length: 50 }, (_, number) => store.accept(sampleMessage(`Q${number}`)));
  const closed = store.close();
  await expect(store.nextDue()).rejects.toThrow('The store is closed');
  await Promise.all([...accepted, closed]);
  expect((await (await world.reopen()).listJobs({ limit: 99 })).jobs).toHaveLength(50);
});

test('kill -9 loses nothing that was acknowledged', async () => {
  await using directory = await temporaryDirectory();
  const lane = `
    let number = 0;
    async function lane() {
      for (;;) {
        const id = 'Q' + number++;
        await store.accept(sampleMessage(id, { claimed: true }));
        console.log(id);
      }
    }
    for (let lanes = 0; lanes < 20; lanes++) lane();`;
  const { child, lines } = otherProcess(directory.path, lane);
  const acknowledged: string[] = [];
  lines.on('line', (id) => {
    acknowledged.push(id);
    if (acknowledged.length === 500) child.kill('SIGKILL');
  });
  await once(lines, 'close');
  expect(acknowledged.length).toBeGreaterThanOrEqual(500);
  const store = await openStore({ dataDir: directory.path });
  const claimed = await store.claim({ now: 5000, limit: 100_000, leaseMs: 1 });
  const found = new Set(claimed.map(({ message }) => message.queueId));
  expect(acknowledged.filter((id) => !found.has(id))).toEqual([]);
  expect(claimed.every(({ jobs: [job] }) => job?.inDoubt)).toBe(true);
  await store.close();
});
