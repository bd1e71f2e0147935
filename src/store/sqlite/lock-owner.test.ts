import { rmSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { temporaryStore } from '../../testing/store.ts';
import { findLockOwner, hasOpen, holderOf, holdersOfInode } from './lock-owner.ts';
import { openStore } from './open.ts';
import { storeFiles } from './store-files.ts';

test.runIf(process.platform === 'linux')('who is refused a store hears which process has it', async () => {
  await using world = await temporaryStore();
  const { dataDir } = world;
  expect(findLockOwner(dataDir)?.pid).toBe(process.pid);
  await expect(openStore({ dataDir })).rejects.toThrow(
    new RegExp(`is in use by another Posthorn process \\(pid ${process.pid}: .*\\): stop that one first`),
  );
  await world.store.close();
  expect(findLockOwner(dataDir)).toBeUndefined();
  rmSync(storeFiles(dataDir).lock);
  expect(findLockOwner(dataDir)).toBeUndefined();
  await world.reopen();
});

test('holderOf() finds the line of the file, and no process of another container', () => {
  const locks = [
    '1: POSIX  ADVISORY  READ 7 08:01:42 1073741826 1073742335',
    '2: FLOCK  ADVISORY  WRITE 8 08:02:42 0 EOF',
    '2: -> POSIX  ADVISORY  WRITE 9 08:01:42 0 EOF',
    '3: POSIX  ADVISORY  WRITE 0 08:01:43 0 EOF',
    '4: POSIX  ADVISORY  WRITE 1234 08:01:42 1073741826 1073742335',
    '',
  ].join('\n');
  expect(holderOf({ dev: 0x801n, ino: 42n }, locks)).toBe(1234);
  expect(holderOf({ dev: 0x801n, ino: 43n }, locks)).toBeUndefined();
  expect(holderOf({ dev: 0x803n, ino: 42n }, locks)).toBeUndefined();
  expect(holderOf({ dev: 0x801n, ino: 42n }, '')).toBeUndefined();
});

test('holdersOfInode() finds who may have the file, where its device has two numbers (overlayfs, btrfs)', () => {
  const locks = [
    '1: POSIX  ADVISORY  WRITE 7 00:2b:42 1073741826 1073742335',
    '2: POSIX  ADVISORY  WRITE 8 00:2c:42 1073741826 1073742335',
    '3: POSIX  ADVISORY  WRITE 9 00:2b:142 1073741826 1073742335',
  ].join('\n');
  expect(holdersOfInode({ ino: 42n }, locks)).toEqual([7, 8]);
});

test.runIf(process.platform === 'linux')('hasOpen() knows whether a process has the file open', async () => {
  await using world = await temporaryStore();
  const file = storeFiles(world.dataDir).lock;
  const numbers = statSync(file, { bigint: true });
  expect(hasOpen(process.pid, numbers)).toBe(true);
  expect(hasOpen(process.pid, { ...numbers, dev: numbers.dev + 1n })).toBe(false);
  expect(hasOpen(0x7fffffff, numbers)).toBe(false);
});
