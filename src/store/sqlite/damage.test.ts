import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { reopenAsVersion } from '../../testing/earlier-store.ts';
import {
  changeAllJobs,
  sampleMessage,
  temporaryDirectory,
  temporaryStore,
  textOf,
} from '../../testing/store.ts';
import { flipBit, storeImage } from '../../testing/store-image.ts';
import { readContent } from '../content.ts';
import { DamagedContentError, StoreBrokenError, StoreOpenError } from '../errors.ts';
import { createSpool } from '../spool.ts';
import { openStore } from './open.ts';
import { openEngine } from './open-engine.ts';
import { pageBytes } from './pages/format.ts';
import { storeFiles } from './store-files.ts';

const claimAll = { now: 5000, limit: 1000, leaseMs: 60_000 };

async function refusalOf(dataDir: string): Promise<StoreOpenError> {
  const error: unknown = await openStore({ dataDir }).catch((reason: unknown) => reason);
  if (error instanceof StoreOpenError) return error;
  throw new Error(`Expected a StoreOpenError, got ${String(error)}`);
}

/** Writes into the database of an open store. Never closed: that would free the lock of the store in this process. */
function scribble(dataDir: string, offset: number, octets: Buffer): void {
  writeSync(openSync(storeFiles(dataDir).database, 'r+'), octets, 0, octets.length, offset);
}

test('openStore() refuses a damaged database, changes nothing, and says where it is and what to do', async () => {
  await using directory = await temporaryDirectory();
  const { dataDir, files } = await storeImage(directory.path, 30, 'killed');
  flipBit(files.log, 50_000, 3);
  const [log, database] = [readFileSync(files.log), readFileSync(files.database)];
  const refusal = await refusalOf(dataDir);
  expect(refusal.kind).toBe('damaged');
  expect(refusal.message).toContain(`${files.log}: frame 7 is not as it was written`);
  expect(refusal.message).toContain('posthorn store check');
  expect(refusal.message).toContain('posthorn store salvage --to DIRECTORY');
  expect(readFileSync(files.log).equals(log) && readFileSync(files.database).equals(database)).toBe(true);
});

test('openStore() opens what a program left that ended without closing it', async () => {
  await using directory = await temporaryDirectory();
  const script = `
    const { openStore } = await import(${JSON.stringify(new URL('./open.ts', import.meta.url).href)});
    const { sampleMessage } = await import(${JSON.stringify(new URL('../../testing/store.ts', import.meta.url).href)});
    const store = await openStore({ dataDir: ${JSON.stringify(directory.path)} });
    for (let number = 0; number < 5; number++) await store.accept(sampleMessage('Q' + number));
    process.exit(3);`;
  for (const count of [5, 5]) {
    const [code] = await once(spawn(process.execPath, ['-e', script], { stdio: 'ignore' }), 'exit');
    expect(code).toBe(3);
    const store = await openStore({ dataDir: directory.path });
    expect((await store.listJobs({ limit: 99 })).jobs).toHaveLength(count);
    await changeAllJobs(store, { kind: 'drop' });
    await store.close();
  }
});

test('openStore() brings a database of version 1 to the present, and checks it as a whole', async () => {
  await using world = await temporaryStore();
  await world.store.accept(sampleMessage('Q1'));
  const store = await reopenAsVersion(
    world,
    1,
    `DROP TABLE recent_keys; DROP INDEX messages_spooled;
      ALTER TABLE messages DROP COLUMN octets_sum; ALTER TABLE messages DROP COLUMN spool_sum`,
  );
  await store.accept(sampleMessage('Q2'));
  expect(await (await world.reopen()).claim(claimAll)).toHaveLength(2);
  expect(readFileSync(storeFiles(world.dataDir).sums).length).toBeGreaterThan(512);
});

test('openStore() refuses a damaged database without sums where its structure is broken', async () => {
  await using directory = await temporaryDirectory();
  const { dataDir, files } = await storeImage(directory.path, 60, 'stopped');
  rmSync(files.sums);
  const octets = readFileSync(files.database);
  octets.fill(0xff, 20 * pageBytes, 22 * pageBytes);
  writeFileSync(files.database, octets);
  expect((await refusalOf(dataDir)).kind).toBe('damaged');
});

test('damage that SQLite meets at run time breaks the store: nothing is acknowledged any more', async () => {
  await using directory = await temporaryDirectory();
  const { dataDir, files } = await storeImage(directory.path, 60, 'stopped');
  const store = await openStore({ dataDir });
  const pages = readFileSync(files.database).length / pageBytes;
  scribble(dataDir, 2 * pageBytes, Buffer.alloc((pages - 2) * pageBytes, 0xff));
  await expect(store.claim(claimAll)).rejects.toThrow(StoreBrokenError);
  await expect(store.accept(sampleMessage('Q1'))).rejects.toThrow(StoreBrokenError);
  expect((await store.broken).message).toContain('SQLITE_CORRUPT');
  await store.close();
});

test('claim() gives out no octets that the disk has changed', async () => {
  await using world = await temporaryStore();
  await world.store.accept(sampleMessage('Q1'));
  const store = await world.reopen();
  const octets = readFileSync(storeFiles(world.dataDir).database);
  scribble(world.dataDir, octets.indexOf('Subject: hello'), Buffer.from('Subject: hallo'));
  const [claimed] = await store.claim(claimAll);
  const content = claimed?.message.content;
  expect(content).toEqual({ kind: 'damaged', sizeBytes: 26 });
  await expect(textOf(readContent(content ?? { kind: 'damaged', sizeBytes: 0 }))).rejects.toThrow(
    DamagedContentError,
  );
});

test.each([
  ['changed', (path: string) => flipBit(path, 70_000, 1), /are not those that were accepted/],
  ['cut', (path: string) => writeFileSync(path, 'x'.repeat(70_000)), /has 70000 octets of 100000/],
  ['gone', (path: string) => rmSync(path), /ENOENT/],
])('readContent() does not end where a spool file is %s: it rejects', async (_, damage, text) => {
  await using directory = await temporaryDirectory();
  const spool = createSpool({ dataDir: directory.path });
  const writer = await spool.begin();
  await writer.write(Buffer.alloc(100_000, 'x'));
  const content = await writer.commit();
  expect(await textOf(readContent(content))).toHaveLength(100_000);
  await spool.close(); // an open file is there still when its name is gone
  damage(content.kind === 'spool' ? content.path : '');
  await expect(textOf(readContent(content))).rejects.toThrow(text);
});

test('openStore() says which spool files are not as they should be, and goes on', async () => {
  await using directory = await temporaryDirectory();
  const { dataDir } = await storeImage(directory.path, 60, 'stopped');
  rmSync(join(dataDir, 'spool', 'Q00007'));
  writeFileSync(join(dataDir, 'spool', 'Q00057'), 'short');
  const warnings: unknown[] = [];
  const log = { info() {}, warn: (fields: object, text: string) => warnings.push({ ...fields, text }) };
  await (await openStore({ dataDir, log })).close();
  expect(warnings).toEqual([
    { file: join(dataDir, 'spool', 'Q00007'), text: expect.stringMatching(/this spool file is missing/) },
    { file: join(dataDir, 'spool', 'Q00057'), text: expect.stringMatching(/has 5 octets of 100000/) },
  ]);
});

test('openEngine() compares what it had no time for while it runs, and the next start knows what was found', async () => {
  await using directory = await temporaryDirectory();
  const { dataDir, files } = await storeImage(directory.path, 300, 'stopped');
  flipBit(files.database, 140 * pageBytes, 5);
  const options = { dataDir, examinationMs: 0 };
  const opened = openEngine(options);
  expect(() => {
    while (opened.books.compareMore());
  }).toThrow(`${files.database}: page 141 is not as it was written`);
  opened.close('lost');
  expect(() => openEngine(options)).toThrow(/page 141 \(messages\) is not as it was written/);
});

test('openStore() sets spool files of no known message aside where messages may be missing', async () => {
  await using directory = await temporaryDirectory();
  const { dataDir, files } = await storeImage(directory.path, 8, 'stopped');
  const orphan = join(dataDir, 'spool', 'orphan');
  const warnings: string[] = [];
  const log = { info() {}, warn: (_: object, text: string) => warnings.push(text) };
  const open = async () => (await openStore({ dataDir, log })).close();
  writeFileSync(orphan, 'once accepted');
  rmSync(files.sums);
  rmSync(files.note);
  await open();
  expect(warnings).toEqual([
    expect.stringMatching(/no note of how long .* if the end of the log was lost/),
    expect.stringMatching(/were set aside/),
  ]);
  expect(readFileSync(join(dataDir, 'orphans', 'orphan'), 'utf8')).toBe('once accepted');
  writeFileSync(orphan, 'of no doubt');
  await open();
  expect([existsSync(orphan), readdirSync(join(dataDir, 'orphans'))]).toEqual([false, ['orphan']]);
  expect(warnings).toHaveLength(2);
});
