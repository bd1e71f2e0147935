import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { type KeptStore, keptStores, keptVersions, placeKeptStore } from '../../testing/kept-stores.ts';
import { type TemporaryDirectory, temporaryDirectory, temporaryStore, textOf } from '../../testing/store.ts';
import { sleep, systemClock } from '../../util/clock.ts';
import { readContent } from '../content.ts';
import { verifyPassword } from '../passwords.ts';
import { findKept, keptDirectory } from './before-upgrade.ts';
import { openStore } from './open.ts';
import { openEngine } from './open-engine.ts';
import { schemaVersion } from './schema.ts';
import { storeFiles } from './store-files.ts';

/** Puts the store of an earlier version into a new data directory. */
async function earlier(kept: KeptStore): Promise<TemporaryDirectory> {
  const directory = await temporaryDirectory();
  placeKeptStore(kept, directory.path);
  return directory;
}

test('there is a store of each earlier version but 2, which nobody has', () => {
  const expected = Array.from({ length: schemaVersion }, (_, index) => index + 1).filter(
    (version) => version !== 2,
  );
  expect(keptVersions).toEqual(expected);
});

test.each(keptStores)(
  'openStore() brings a $state store of version $version to the present, which works',
  async ({ version, state }) => {
    await using directory = await earlier({ version, state });
    const logged: object[] = [];
    const log = {
      info: (fields: object) => logged.push(fields),
      warn: (_: object, text: string) => logged.push({ text }),
    };
    const store = await openStore({ dataDir: directory.path, log });
    try {
      const account = await store.findAccount('user@example.com');
      expect(await verifyPassword(account?.passwordHash ?? '', 'secret')).toBe(true);
      expect((await store.findAlias('info@example.com'))?.targets).toEqual(['user@example.com']);
      if (version >= 5) expect((await store.findMemo('test', 'kept'))?.value).toBeDefined();
      const claimed = await store.claim({ now: Date.now(), limit: 100, leaseMs: 1000 });
      const texts = claimed.map(async ({ message }) => textOf(readContent(message.content)));
      expect((await Promise.all(texts)).map((text) => /^Subject: (\w+)/m.exec(text)?.[1]).sort()).toEqual([
        '1SMALL',
        '2SMALL',
        '3LARGE',
      ]);
      for (const { message, jobs } of claimed) {
        expect(jobs.map(({ recipient }) => recipient).sort()).toEqual([
          'friend@example.net',
          'user@example.com',
        ]);
        const results = jobs.map(({ number }) => ({ number, result: 'done' as const }));
        const events = [{ at: 1, queueId: message.queueId, event: 'delivered', data: {} }];
        await store.settle({ queueId: message.queueId, results, events, reports: [] });
      }
      expect(await store.countJobs({})).toEqual({ waiting: 0, held: 0, underway: 0 });
      const dossier = await store.trace({ messageId: '<3LARGE@example.org>', limit: 1 });
      expect(dossier.map(({ event }) => event)).toEqual(['delivered', 'accepted']);
    } finally {
      await store.close();
    }
    const upgrades = logged.filter((fields) => 'from' in fields);
    const kept = findKept(directory.path, version);
    if (version === schemaVersion) expect({ upgrades, kept }).toEqual({ upgrades: [], kept: undefined });
    else expect(upgrades).toEqual([{ from: version, to: schemaVersion, kept }]);
  },
);

describe('what was kept before an upgrade', () => {
  test('is the store as it was, file by file, and can be put back', async () => {
    await using directory = await earlier({ version: 6, state: 'killed' });
    const { directory: storePath } = storeFiles(directory.path);
    const before = readAll(storePath);
    await (await openStore({ dataDir: directory.path })).close();
    const kept = findKept(directory.path, 6) ?? '';
    expect(readAll(kept)).toEqual(before);
    rmSync(storePath, { recursive: true });
    renameSync(kept, storePath);
    const again = await openStore({ dataDir: directory.path });
    expect(await again.countJobs({})).toMatchObject({ waiting: 6 });
    await again.close();
  });

  test('is made once, however often the upgrade is interrupted after it', async () => {
    await using directory = await earlier({ version: 6, state: 'closed' });
    const { directory: storePath } = storeFiles(directory.path);
    const before = join(directory.path, 'before');
    cpSync(storePath, before, { recursive: true, preserveTimestamps: true });
    // A kill in the middle of the copy.
    mkdirSync(join(keptDirectory(directory.path), 'schema-6-2026.unfinished'), { recursive: true });
    for (const _ of ['interrupted', 'finished']) {
      await (await openStore({ dataDir: directory.path })).close();
      rmSync(storePath, { recursive: true });
      cpSync(before, storePath, { recursive: true, preserveTimestamps: true });
    }
    const whole = readdirSync(keptDirectory(directory.path)).filter((name) => !name.endsWith('.unfinished'));
    expect(whole).toHaveLength(1);
  });
});

test('an upgrade that is killed leaves the store of before or that of after, and the next start goes on', async () => {
  await using directory = await earlier({ version: 1, state: 'killed' });
  const script = join(directory.path, 'open.mjs');
  const open = JSON.stringify(join(import.meta.dirname, 'open.ts'));
  writeFileSync(
    script,
    `const { openStore } = await import(${open}); await openStore({ dataDir: ${JSON.stringify(directory.path)} });
    console.log('open'); setInterval(() => {}, 1000);`,
  );
  for (const waitMs of [300, 350, 400, 450, 500, undefined]) {
    const child = spawn(process.execPath, [script]);
    const [opened, ended] = [once(child.stdout, 'data'), once(child, 'exit')];
    // Before, in the middle of, or after the upgrade, wherever the machine is by then; the last time it comes to its end.
    await (waitMs === undefined ? opened : Promise.race([opened, sleep(systemClock, waitMs)]));
    child.kill('SIGKILL');
    await ended;
  }
  const store = await openStore({ dataDir: directory.path });
  expect(await store.countJobs({})).toMatchObject({ waiting: 6 });
  await store.close();
});

test.each(['closed', 'killed'])(
  'an upgrade that fails leaves a %s store as it was, and undamaged',
  async (state) => {
    await using world = await temporaryStore();
    await world.store.close();
    const engine = openEngine({ dataDir: world.dataDir });
    // Of this version, and calls itself one before: the tables that the upgrade would make are there.
    engine.database.pragma(`user_version = ${schemaVersion - 1}`);
    engine.books.syncLog();
    await using other = await temporaryDirectory();
    cpSync(world.dataDir, other.path, { recursive: true }); // as a kill leaves it
    engine.close('whole');
    const dataDir = state === 'killed' ? other.path : world.dataDir;
    const { directory } = storeFiles(dataDir);
    const before = readAll(directory);
    expect(Object.keys(before).includes('posthorn.db-wal')).toBe(state === 'killed');
    const failing = () => openStore({ dataDir });
    await expect(failing()).rejects.toThrow(/duplicate column name: traceparent/);
    // SQLite copies back a log that was left; nothing else of it may change.
    const { 'posthorn.db': database } = readAll(directory);
    if (state === 'closed') expect(database).toEqual(before['posthorn.db']);
    // The next start, be it of the version before, does not take it for damaged.
    await expect(failing()).rejects.toThrow(/duplicate column name: traceparent/);
  },
);

test('a store of a later version is refused, with both versions and the way back, and left as it is', async () => {
  await using world = await temporaryStore();
  await world.store.close();
  const files = storeFiles(world.dataDir);
  const database = new Database(files.database);
  database.pragma(`user_version = ${schemaVersion + 1}`);
  database.close();
  for (const path of [files.sums, files.note]) rmSync(path);
  writeFileSync(join(files.directory, 'written-by'), 'Posthorn 9.8.7\n');
  const kept = join(keptDirectory(world.dataDir), `schema-${schemaVersion}-2026-11-28T00-00-00.000Z`);
  mkdirSync(kept, { recursive: true });
  const before = readAll(files.directory);
  await expect(world.reopen()).rejects.toThrow(
    new RegExp(
      `was written by Posthorn 9\\.8\\.7, with schema version ${schemaVersion + 1}; this Posthorn knows versions up to ` +
        `${schemaVersion}: run that version, or a newer one\\. To go back .*${kept}`,
    ),
  );
  expect(readAll(files.directory)).toEqual(before);
  expect(existsSync(kept)).toBe(true);
  rmSync(files.directory, { recursive: true });
  rmSync(join(world.dataDir, 'has-store'));
  await world.reopen();
});

/** What each file holds, but for the lock. */
function readAll(directory: string): Record<string, Buffer> {
  const names = readdirSync(directory).filter((name) => name !== 'lock');
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(directory, name))]));
}
