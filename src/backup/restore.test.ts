import { existsSync, readFileSync } from 'node:fs';
import { chown, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { messageName } from '../store/drop-message.ts';
import { openStore } from '../store/sqlite/open.ts';
import { markUnfinished, unfinishedRestore } from '../store/sqlite/remains.ts';
import { acceptLarge, type BackupWorld, backupWorld } from '../testing/backups.ts';
import { sampleJob, sampleMessage } from '../testing/store.ts';
import { type RestoreOptions, restoreSnapshot } from './restore.ts';

const restore = (world: BackupWorld, options: Partial<RestoreOptions> = {}) =>
  restoreSnapshot({
    from: world.backups,
    to: world.path('restored'),
    release: false,
    now: 5000,
    requireUnused: async () => undefined,
    ...options,
  });

test('restoreSnapshot() brings mailboxes, accounts and the queue back; what goes elsewhere is held, and its time stood still', async () => {
  await using world = await backupWorld();
  await world.store.addAccounts([{ address: 'user@example.com', passwordHash: 'x', createdAt: 1 }]);
  await acceptLarge(world.store, 'Q1', 'large content');
  await world.store.accept(sampleMessage('Q2', { claimed: true }));
  const mail = await world.deliver('user@example.com', 1);
  await world.snapshot(2000);
  const { queue, outside } = await restore(world, { now: 5000 });
  expect(queue).toEqual({ held: 2, goesOn: 1 });
  const restored = world.path('restored');
  expect(readFileSync(join(restored, relative(world.dataDir, mail)), 'utf8')).toBe(
    readFileSync(mail, 'utf8'),
  );
  expect(outside.restored).toContain(join(restored, 'outside', world.configFile));
  expect((await stat(restored)).mode & 0o777).toBe(0o700);
  expect(existsSync(unfinishedRestore(restored))).toBe(false);
  const store = await openStore({ dataDir: restored });
  try {
    expect(await store.findAccount('user@example.com')).toMatchObject({ passwordHash: 'x' });
    const { jobs } = await store.listJobs({ limit: 10 });
    const held = { by: 'restore', at: 5000, nextAttemptAt: 1000, expiresAt: 12_000 };
    expect(jobs).toMatchObject([
      { queueId: 'Q1', number: 0, inDoubt: true, memo: { held } },
      { queueId: 'Q1', number: 1, inDoubt: true, nextAttemptAt: 1000, expiresAt: 12_000 },
      { queueId: 'Q2', number: 0, inDoubt: true, memo: { held } },
    ]);
    const events = await store.trace({ queueId: 'Q2', limit: 1 });
    expect(events).toMatchObject([{ event: 'held', data: { by: 'restore' } }]);
    const [claimed] = await store.claim({ now: 6000, limit: 10, leaseMs: 1000 });
    expect(claimed?.message.content).toMatchObject({ kind: 'spool', sizeBytes: 13 });
  } finally {
    await store.close();
  }
});

test.runIf(process.getuid?.() === 0)(
  'restoreSnapshot() gives what was handed in back to its senders, or sets it aside: nobody may send in the name of the server',
  async () => {
    await using world = await backupWorld();
    const [own, others] = [messageName(), messageName()];
    const maildrop = join(world.dataDir, 'maildrop');
    for (const name of [own, others]) await world.write(join(maildrop, name), '{}\n');
    await chown(join(maildrop, others), 12_345, 12_345);
    const { name: snapshot } = await world.snapshot(2000);
    expect(await restore(world)).toMatchObject({ setAside: [], warnings: [] });
    const restored = world.path('restored', 'maildrop');
    expect(await stat(join(restored, others))).toMatchObject({ uid: 12_345, mode: 0o100644 });
    expect(await stat(join(restored, own))).toMatchObject({ uid: 0 });
    // Of a snapshot that does not say whose they are.
    const file = join(world.backups, snapshot, 'manifest.json');
    const { handedIn: _, ...before } = JSON.parse(readFileSync(file, 'utf8'));
    await writeFile(file, JSON.stringify(before));
    const { setAside } = await restore(world, { to: world.path('again') });
    expect(setAside).toHaveLength(2);
    expect((await readdir(world.path('again', 'maildrop'))).sort()).toEqual(
      [own, others].map((name) => name.replace('new-', 'unsent-')).sort(),
    );
  },
);

test.runIf(process.getuid?.() === 0)(
  'restoreSnapshot() gives what root has to make to the user whose it was, and the way to keys too; or says that there is none',
  async () => {
    await using world = await backupWorld();
    await chown(world.dataDir, 1, 1);
    const { name } = await world.snapshot(2000);
    const file = join(world.backups, name, 'manifest.json');
    const manifest = JSON.parse(readFileSync(file, 'utf8'));
    expect(manifest.owner).toBe('daemon');
    await world.store.close();
    const before = await readdir(world.dataDir);
    await rm(world.dataDir, { recursive: true });
    await rm(world.path('etc'), { recursive: true });
    expect(await restore(world, { to: undefined })).not.toHaveProperty('absentOwner');
    expect(await stat(world.dataDir)).toMatchObject({ uid: 1, gid: 1, mode: 0o40700 });
    for (const entry of before.filter((entry) => entry !== 'maildrop'))
      expect(await stat(join(world.dataDir, entry))).toMatchObject({ uid: 1 });
    expect(await stat(world.path('etc'))).toMatchObject({ uid: 0, gid: 1, mode: 0o40750 });
    expect(await stat(world.path('etc', 'server.pem'))).toMatchObject({ uid: 1, mode: 0o100600 });
    await writeFile(file, JSON.stringify({ ...manifest, owner: 'nobody-has-this-name' }));
    expect(await restore(world)).toMatchObject({ absentOwner: 'nobody-has-this-name' });
    expect(await stat(world.path('restored'))).toMatchObject({ uid: 0 });
  },
);

test('restoreSnapshot() does not put a data directory into another one, nor among the snapshots', async () => {
  await using world = await backupWorld();
  await world.snapshot();
  for (const to of [join(world.dataDir, 'sub', 'below'), join(world.backups, 'restored')]) {
    await expect(restore(world, { to })).rejects.toThrow(`${to} lies within the`);
    expect(existsSync(to)).toBe(false);
  }
});

test('restoreSnapshot() holds nothing where nothing was delivered since', async () => {
  await using world = await backupWorld();
  await world.store.accept(sampleMessage('Q1'));
  await world.store.accept(sampleMessage('Q2', { jobs: [sampleJob('Q2', { inDoubt: true })] }));
  await world.snapshot(2000);
  expect((await restore(world, { release: true })).queue).toEqual({ held: 0, goesOn: 2 });
});

test('restoreSnapshot() of a server that runs nowhere any more puts its configuration back', async () => {
  await using world = await backupWorld();
  await world.snapshot();
  await world.store.close();
  await rm(world.dataDir, { recursive: true });
  await rm(world.configFile);
  await writeFile(world.path('etc', 'server.pem'), 'another certificate');
  const { outside, dataDir } = await restore(world, { to: undefined });
  expect(dataDir).toBe(world.dataDir);
  expect(outside).toEqual({ restored: [world.configFile], differing: [world.path('etc', 'server.pem')] });
  expect(readFileSync(world.configFile, 'utf8')).toContain('hostname');
});

test('restoreSnapshot() writes over nothing, and nothing of a snapshot that is damaged', async () => {
  await using world = await backupWorld();
  const { name } = await world.snapshot();
  await world.write(world.path('restored', 'mine'), 'mine');
  await expect(restore(world)).rejects.toThrow(/is not empty \(mine\)[\s\S]*move it away first: mv/);
  expect(await readdir(world.path('restored'))).toEqual(['mine']);
  await writeFile(join(world.backups, name, 'data', 'store', 'posthorn.db'), 'gone');
  await expect(restore(world, { to: world.path('other') })).rejects.toThrow(
    /posthorn.db: is not as it was written\nNothing was restored/,
  );
  expect(existsSync(world.path('other'))).toBe(false);
});

test('a restore that was killed is known as such: no server starts there, and it begins anew', async () => {
  await using world = await backupWorld();
  await world.deliver('user@example.com', 1);
  const { name } = await world.snapshot();
  const restored = world.path('restored');
  await world.write(join(restored, 'accounts', 'half'), 'half');
  await markUnfinished(restored, name);
  await expect(openStore({ dataDir: restored })).rejects.toThrow('Run posthorn restore again');
  await restore(world);
  expect(await readdir(join(restored, 'accounts'))).toEqual(['user@example.com']);
  await (await openStore({ dataDir: restored })).close();
});

test('restoreSnapshot() says which snapshots there are, and does not take one of a newer version', async () => {
  await using world = await backupWorld();
  await expect(restore(world)).rejects.toThrow('there is no snapshot in');
  const { name } = await world.snapshot();
  await expect(restore(world, { snapshot: 'yesterday' })).rejects.toThrow(
    new RegExp(`There are:\\s+${name}`),
  );
  const file = join(world.backups, name, 'manifest.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  await writeFile(file, JSON.stringify({ ...manifest, schemaVersion: 1000, posthorn: '9.9.9' }));
  await expect(restore(world)).rejects.toThrow(/schema version 1000, made by Posthorn 9\.9\.9/);
});
