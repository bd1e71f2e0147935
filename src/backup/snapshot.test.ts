import { existsSync, readFileSync, statSync } from 'node:fs';
import { readdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { messageName } from '../store/drop-message.ts';
import { storeFiles } from '../store/sqlite/store-files.ts';
import { acceptLarge, backupWorld } from '../testing/backups.ts';
import { sampleMessage } from '../testing/store.ts';
import { openBackupDirectory } from './directory.ts';
import { verifySnapshot } from './verify.ts';

test('makeSnapshot() saves the store, the spool, mailboxes, other files, and the configuration with what it names', async () => {
  await using world = await backupWorld();
  await acceptLarge(world.store, 'Q1', 'large content');
  const mail = await world.deliver('user@example.com', 1);
  await world.write(join(world.dataDir, 'tls', 'key.pem'), 'a key');
  const [waits, kept] = [messageName(), messageName().replace('new-', 'unsent-')];
  for (const name of [waits, kept])
    await world.write(join(world.dataDir, 'maildrop', name), `handed in: ${name}`);
  const { name, warnings } = await world.snapshot();
  const directory = join(world.backups, name);
  expect(warnings).toEqual([]);
  const text = (...parts: string[]) => readFileSync(join(directory, ...parts), 'utf8');
  expect(text('data', relative(world.dataDir, mail))).toBe(readFileSync(mail, 'utf8'));
  expect(text('data', 'tls', 'key.pem')).toBe('a key');
  for (const name of [waits, kept]) expect(text('data', 'maildrop', name)).toBe(`handed in: ${name}`);
  expect(text('outside', world.configFile)).toContain('hostname');
  expect(text('outside', dirname(world.configFile), 'server.pem')).toBe('a certificate');
  const [spooled = ''] = await readdir(join(directory, 'data', 'spool'));
  expect(text('data', 'spool', spooled)).toBe('large content');
  const database = new Database(storeFiles(join(directory, 'data')).database, { readonly: true });
  expect(database.prepare('SELECT queue_id FROM messages').pluck().all()).toEqual(['Q1']);
  database.close();
});

test('what is no message in the maildrop is no part of a snapshot, and no fault of it: every user can put it there', async () => {
  await using world = await backupWorld();
  const maildrop = join(world.dataDir, 'maildrop');
  const name = messageName();
  await world.write(join(maildrop, name), 'handed in');
  await world.write(join(maildrop, messageName(), 'large'), 'in a directory');
  await symlink('/etc/passwd', join(maildrop, messageName()));
  await writeFile(Buffer.concat([Buffer.from(`${maildrop}/new-`), Buffer.from([0xff])]), 'not UTF-8');
  await writeFile(join(maildrop, 'of another name'), 'not handed in');
  const { name: snapshot, warnings } = await world.snapshot();
  expect(warnings).toEqual([]);
  expect(await readdir(join(world.backups, snapshot, 'data', 'maildrop'))).toEqual([name]);
});

test('a spool file that is used again meanwhile is saved as it was', async () => {
  await using world = await backupWorld();
  await acceptLarge(world.store, 'Q1', 'the first one');
  const hold = world.store.freeze.bind(world.store);
  world.store.freeze = async () => {
    const frozen = await hold();
    const results = [0, 1].map((number) => ({ number, result: 'done' as const }));
    await world.store.settle({ queueId: 'Q1', results, events: [], reports: [] });
    await acceptLarge(world.store, 'Q2', 'another one that is longer');
    return frozen;
  };
  const { name, warnings } = await world.snapshot();
  expect(warnings).toEqual([]);
  const directory = join(world.backups, name, 'data', 'spool');
  const [spooled = ''] = await readdir(directory);
  expect(readFileSync(join(directory, spooled), 'utf8')).toBe('the first one');
});

test('the second snapshot copies only what changed, and has the rest by hard links, also where it was renamed', async () => {
  await using world = await backupWorld();
  const [old, read] = [
    await world.deliver('user@example.com', 1),
    await world.deliver('user@example.com', 2),
  ];
  await world.snapshot(1000);
  const renamed = join(dirname(dirname(read)), 'cur', `${basename(read)}:2,S`);
  await rename(read, renamed);
  await world.deliver('user@example.com', 3);
  await world.store.accept(sampleMessage('Q1'));
  const { copiedFiles, files } = await world.snapshot(2000);
  // The new message, and the database.
  expect({ copiedFiles, files }).toEqual({ copiedFiles: 2, files: 7 });
  const [first = '', second = ''] = (await readdir(world.backups)).filter((name) => name !== 'lock').sort();
  const inode = (snapshot: string, file: string) =>
    statSync(join(world.backups, snapshot, 'data', relative(world.dataDir, file))).ino;
  expect(inode(second, old)).toBe(inode(first, old));
  expect(inode(second, renamed)).toBe(inode(first, read));
  for (const snapshot of [first, second])
    expect((await verifySnapshot(join(world.backups, snapshot))).damage).toEqual([]);
  const third = await world.snapshot(3000);
  expect(third.copiedFiles).toBe(0);
});

test('what cannot be saved is told; what is damaged already, too', async () => {
  await using world = await backupWorld();
  await acceptLarge(world.store, 'Q1', 'large content');
  await symlink('/etc/passwd', join(world.dataDir, 'link'));
  const spool = join(world.dataDir, 'spool');
  const [spooled = ''] = await readdir(spool);
  await writeFile(join(spool, spooled), 'lArge content');
  const { warnings } = await world.snapshot();
  expect(warnings).toEqual([
    `spool/${spooled}: the octets of a message are not there, or not as they were accepted`,
    'link was left out: it is a symbolic link, which may lead anywhere',
  ]);
});

test('a damaged database becomes no snapshot', async () => {
  await using world = await backupWorld();
  await world.store.accept(sampleMessage('Q1'));
  const freeze = world.store.freeze.bind(world.store);
  world.store.freeze = async () => {
    const frozen = await freeze();
    const { database } = storeFiles(world.dataDir);
    const octets = readFileSync(database);
    octets[8192 * 2 + 100] = (octets[8192 * 2 + 100] ?? 0) ^ 1;
    await writeFile(database, octets);
    return frozen;
  };
  await expect(world.snapshot()).rejects.toThrow(
    /the store is damaged[\s\S]*page 3 is not as it was written/,
  );
  expect((await readdir(world.backups)).filter((name) => name !== 'lock')).toEqual([]);
});

test('a database or another file that was damaged in the snapshot before is copied anew, and no fault of the store', async () => {
  await using world = await backupWorld();
  await world.store.accept(sampleMessage('Q1'));
  await world.write(join(world.dataDir, 'tls', 'key.pem'), 'a key');
  const first = await world.snapshot(1000);
  const data = join(world.backups, first.name, 'data');
  await truncate(storeFiles(data).database, 20_000);
  await writeFile(join(data, 'tls', 'key.pem'), 'a kez');
  const { name } = await world.snapshot(2000);
  expect((await verifySnapshot(join(world.backups, name))).damage).toEqual([]);
  expect((await verifySnapshot(join(world.backups, first.name))).damage).toHaveLength(2);
});

test('where the list of the snapshot before is damaged or gone, all is copied anew, and that is told', async () => {
  await using world = await backupWorld();
  const [first, second] = [await world.snapshot(1000), await world.snapshot(2000)];
  expect(second.copiedFiles).toBe(0);
  await writeFile(join(world.backups, second.name, 'SHA256SUMS'), 'nonsense');
  const third = await world.snapshot(3000);
  expect(third).toMatchObject({ copiedFiles: first.files, warnings: [expect.stringMatching(/is damaged/)] });
  await rm(join(world.backups, third.name, 'SHA256SUMS'));
  const { name, warnings } = await world.snapshot(4000);
  expect(warnings).toEqual([expect.stringContaining(third.name)]);
  expect((await verifySnapshot(join(world.backups, name))).damage).toEqual([]);
});

test('a snapshot that failed leaves nothing, and those before as they were', async () => {
  await using world = await backupWorld();
  const { name } = await world.snapshot(1000);
  world.store.freeze = async () => ({ end: async () => false });
  await expect(world.snapshot(2000)).rejects.toThrow('not held');
  expect((await readdir(world.backups)).filter((one) => one !== 'lock')).toEqual([name]);
});

test('openBackupDirectory() removes what a kill has left, lets one in at a time, and leaves what is not ours alone', async () => {
  await using world = await backupWorld();
  const { name } = await world.snapshot(1000);
  await rename(join(world.backups, name), join(world.backups, `.removed-${name}`));
  await world.write(join(world.backups, '.unfinished-2026', 'data', 'x'), 'half');
  {
    using directory = await openBackupDirectory(world.backups, world.dataDir);
    await expect(openBackupDirectory(world.backups, world.dataDir)).rejects.toThrow(
      'another program writes to',
    );
    expect(await directory.snapshots()).toEqual([]);
    expect((await readdir(world.backups)).filter((one) => one !== 'lock')).toEqual([]);
  }
  const within = join(world.dataDir, 'backups');
  await expect(openBackupDirectory(within, world.dataDir)).rejects.toThrow('lie within each other');
  expect(existsSync(within)).toBe(false);
  await expect(openBackupDirectory(dirname(world.configFile), '/nonexistent')).rejects.toThrow(
    'something else than backups',
  );
});

test('prune() keeps the newest, and a clock that was put back makes no older one', async () => {
  await using world = await backupWorld();
  const names: string[] = [];
  for (const at of [3000, 1000, 2000]) names.push((await world.snapshot(at)).name);
  expect(names).toEqual(names.toSorted());
  using directory = await openBackupDirectory(world.backups, world.dataDir);
  expect(await directory.prune(2)).toEqual(names.slice(0, 1));
  expect(await directory.snapshots()).toEqual(names.slice(1));
});

test('verifySnapshot() names what is changed, missing or besides', async () => {
  await using world = await backupWorld();
  const mail = await world.deliver('user@example.com', 1);
  const { name } = await world.snapshot();
  const directory = join(world.backups, name);
  const saved = join('data', relative(world.dataDir, mail));
  await writeFile(join(directory, saved), 'something else');
  await rm(join(directory, 'outside', world.configFile));
  await world.write(join(directory, 'data', 'more'), 'more');
  expect((await verifySnapshot(directory)).damage.toSorted()).toEqual([
    `${saved}: is not as it was written`,
    'data/more: does not belong to the snapshot',
    `outside${world.configFile}: is missing`,
  ]);
  await writeFile(join(directory, 'SHA256SUMS'), '');
  await expect(verifySnapshot(directory)).rejects.toThrow('SHA256SUMS is not as it was written');
});
