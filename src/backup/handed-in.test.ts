import { execFileSync } from 'node:child_process';
import { link, mkdir, readFile, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { maxDroppedBytes } from '../store/maildrop.ts';
import { backupWorld } from '../testing/backups.ts';
import { giveBackHandedIn, saveHandedIn } from './handed-in.ts';

async function stage() {
  const world = await backupWorld();
  const path = (name: string) => join(world.dataDir, name);
  const { signal } = new AbortController();
  const save = (name: string) =>
    saveHandedIn({ from: path(name), to: world.path('saved'), messageBytes: 1024, signal });
  return { world, path, save };
}

test('saveHandedIn() copies a message, and tells whose the file is that it has copied', async () => {
  const { world, path, save } = await stage();
  await using _ = world;
  await writeFile(path('a'), 'a message');
  expect(await save('a')).toMatchObject({ uid: process.getuid?.(), sizeBytes: 9 });
  expect(await readFile(world.path('saved'), 'utf8')).toBe('a message');
});

test('saveHandedIn() copies nothing that another may have written, nor follows a link, nor waits for a pipe', async () => {
  const { world, path, save } = await stage();
  await using _ = world;
  await writeFile(path('a'), 'of somebody');
  await link(path('a'), path('second-name'));
  await symlink(world.configFile, path('link'));
  execFileSync('mkfifo', [path('pipe')]);
  for (const name of ['second-name', 'link', 'pipe', 'absent']) expect(await save(name)).toBeUndefined();
});

test('saveHandedIn() lets a file of any length be too long, and no more', async () => {
  const { world, path, save } = await stage();
  await using _ = world;
  await writeFile(path('a'), 'begins so');
  await truncate(path('a'), 2 ** 40);
  expect(await save('a')).toMatchObject({ sizeBytes: maxDroppedBytes(1024) + 1 });
});

test('giveBackHandedIn() gives away nothing that a link leads to', async () => {
  const { world, path } = await stage();
  await using _ = world;
  await mkdir(path('maildrop'));
  await symlink(world.configFile, path('maildrop/new-a'));
  await expect(giveBackHandedIn(world.dataDir, { 'new-a': process.getuid?.() ?? 0 })).rejects.toThrow(
    /ELOOP/,
  );
  expect((await stat(world.configFile)).mode & 0o777).toBe(0o600);
});
