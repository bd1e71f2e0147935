import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { replaceFile } from './replace-file.ts';

async function stage() {
  const directory = await mkdtemp(join(tmpdir(), 'posthorn-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return { directory, path: join(directory, 'file') };
}

describe('replaceFile()', () => {
  it('makes a file with these rights, and puts another in its place', async () => {
    const { directory, path } = await stage();
    await replaceFile(path, 'one', 0o600);
    await chmod(path, 0o644);
    await replaceFile(path, 'two', 0o600);
    expect(await readFile(path, 'utf8')).toBe('two');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(['file']);
  });

  it('does not stumble over what a run that was cut short has left', async () => {
    const { path } = await stage();
    await writeFile(`${path}.new`, 'half');
    await replaceFile(path, 'whole', 0o600);
    expect(await readFile(path, 'utf8')).toBe('whole');
  });

  it('leaves the old one, and nothing else, where the new one cannot be had', async () => {
    const { directory } = await stage();
    await expect(replaceFile(join(directory, 'missing', 'file'), 'x', 0o600)).rejects.toThrow('ENOENT');
    expect(await readdir(directory)).toEqual([]);
  });
});
