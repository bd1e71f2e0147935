import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCappedFile } from './capped-file.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'posthorn-capped-'));
});
afterAll(() => rm(directory, { recursive: true }));

describe('openCappedFile()', () => {
  test('takes lines until it is full, and none after that, however short', async () => {
    const path = join(directory, 'trace');
    const errors: Error[] = [];
    const file = openCappedFile(path, { maxBytes: 10, onError: (error) => errors.push(error) });
    expect(['four', 'five', 'x', ''].map((line) => file.write(line))).toEqual([true, true, false, false]);
    await file.close();
    expect(await readFile(path, 'utf8')).toBe('four\nfive\n');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(errors).toEqual([]);
  });

  test('keeps what was there before beside it, once', async () => {
    const path = join(directory, 'again');
    for (const line of ['first', 'second', 'third']) {
      const file = openCappedFile(path, { maxBytes: 100, onError: (error) => expect.fail(error.message) });
      file.write(line);
      await file.close();
    }
    expect(await readFile(path, 'utf8')).toBe('third\n');
    expect(await readFile(`${path}.1`, 'utf8')).toBe('second\n');
  });

  test('says what is wrong where it cannot write, and closes all the same', async () => {
    const failed = Promise.withResolvers<Error>();
    const file = openCappedFile(join(directory, 'none', 'trace'), { maxBytes: 10, onError: failed.resolve });
    expect(await failed.promise).toMatchObject({ code: 'ENOENT' });
    expect(file.write('x')).toBe(false);
    await file.close();
  });
});
