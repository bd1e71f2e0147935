import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../testing/store.ts';
import { orRemove } from './or-remove.ts';

const original = Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' });
const fail = () => Promise.reject(original);

test('orRemove() removes the file where the action fails, and only there', async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, 'draft');
  await writeFile(file, 'half a message');
  expect(await orRemove(file, () => 'done')).toBe('done');
  expect(await readdir(directory.path)).toEqual(['draft']);
  await expect(orRemove(file, fail)).rejects.toBe(original);
  await expect(orRemove(file, fail)).rejects.toBe(original);
  expect(await readdir(directory.path)).toEqual([]);
  expect(original.message).toBe('EIO: i/o error, fsync');
});

test('orRemove() tells why the action failed, and beside it that the file stays', async () => {
  await using directory = await temporaryDirectory();
  const unremovable = join(directory.path, 'directory');
  await mkdir(unremovable);
  await expect(orRemove(unremovable, fail)).rejects.toMatchObject({
    code: 'EIO',
    message: expect.stringMatching(/^EIO: i\/o error, fsync; and what was written stays.*unlink/),
  });
});
