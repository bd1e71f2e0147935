import { chown, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../testing/store.ts';
import { createDirectory, syncDirectory } from './directory-sync.ts';

test('syncDirectory() lets callers that come during a sync share the one that follows', async () => {
  await using directory = await temporaryDirectory();
  const first = syncDirectory(directory.path);
  const [second, third] = [syncDirectory(directory.path), syncDirectory(directory.path)];
  expect(second).not.toBe(first);
  expect(third).toBe(second);
  await Promise.all([first, second]);
});

test('syncDirectory() rejects for each caller of a directory that is not there, and works again later', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'later');
  const results = await Promise.allSettled([syncDirectory(path), syncDirectory(path)]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await createDirectory(path);
  await syncDirectory(path);
});

test('createDirectory() makes what is missing, private to its user', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'a', 'b', 'c');
  await createDirectory(path);
  await createDirectory(path);
  expect((await stat(join(directory.path, 'a'))).mode & 0o777).toBe(0o700);
});

const isRoot = process.getuid?.() === 0;

test.runIf(isRoot)(
  'createDirectory() gives what root makes to the owner of the directory above',
  async () => {
    await using directory = await temporaryDirectory();
    await chown(directory.path, 65534, 65534);
    await createDirectory(join(directory.path, 'a', 'b'));
    expect(await stat(join(directory.path, 'a', 'b'))).toMatchObject({ uid: 65534, gid: 65534 });
  },
);

test('createDirectory() comes to an end where nothing can be made', async () => {
  await expect(createDirectory('/proc/nowhere/below')).rejects.toThrow(/ENOENT|EACCES|EROFS|EPERM/);
});
