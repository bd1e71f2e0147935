import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { allOf, temporaryDirectory } from '../testing/store.ts';
import { createSums, formatSum, parseSum, readSums } from './sums.ts';

const sum = createHash('sha256').update('x').digest('hex');

test.each(['a', 'a b', ' a', 'a\\b', 'a\nb', 'a\r\\nb', 'ü', '*a', 'a\u2028b'])(
  'parseSum() reads what formatSum() writes: %j',
  (path) => {
    const line = formatSum({ sum, path });
    expect(line.match(/\n/g)).toHaveLength(1);
    expect(parseSum(line.slice(0, -1))).toEqual({ sum, path });
  },
);

test.each(['', 'x', `${sum} a`, `${sum}  `, `${sum.slice(1)}  a`])(
  'parseSum() takes no other line: %j',
  (line) => {
    expect(parseSum(line)).toBeUndefined();
  },
);

test('sha256sum(1) checks what createSums() writes', async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, 'SHA256SUMS');
  {
    await using sums = await createSums(file);
    for (const path of ['plain', 'with \\ in it']) {
      writeFileSync(join(directory.path, path), 'x');
      await sums.add({ sum, path });
    }
    await sums.finish();
  }
  const out = execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: directory.path });
  expect(String(out)).toMatch(/plain: OK\n.*: OK\n/);
  expect(await allOf(readSums(file))).toHaveLength(2);
});

test('readSums() reads every name that a file can have', async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, 'SHA256SUMS');
  const paths = ['a\u2028b', 'a\u2029', 'a\nb', 'a\rb', 'a\x85b', 'x'.repeat(4000)];
  writeFileSync(file, paths.map((path) => formatSum({ sum, path })).join(''));
  expect(await allOf(readSums(file))).toEqual(paths.map((path) => ({ sum, path })));
});

test('readSums() does not gather what has no line end', async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, 'SHA256SUMS');
  writeFileSync(file, `${sum}  ${'x'.repeat(20_000)}\n`);
  expect(await allOf(readSums(file))).toHaveLength(1);
  writeFileSync(file, Buffer.alloc(2 ** 20));
  await expect(allOf(readSums(file))).rejects.toThrow('is not as it was written');
});

test.each(['/etc/passwd', '../x', 'a/../../x'])(
  'readSums() does not let a path lead out of the snapshot: %s',
  async (path) => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'SHA256SUMS');
    writeFileSync(file, formatSum({ sum, path }));
    await expect(allOf(readSums(file))).rejects.toThrow('is not as it was written');
    expect(readFileSync(file, 'utf8')).toContain(path);
  },
);
