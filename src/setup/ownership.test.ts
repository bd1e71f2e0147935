import { linkSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { giveTo } from './ownership.ts';

const isRoot = process.getuid?.() === 0;

it.skipIf(!isRoot)('giveTo() gives what is root’s, and nothing by a link', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-owner-'));
  try {
    const path = (name: string) => join(directory, name);
    mkdirSync(path('data/store'), { recursive: true });
    writeFileSync(path('data/store/db'), '');
    for (const name of ['elsewhere', 'shared']) writeFileSync(path(name), '');
    symlinkSync(path('elsewhere'), path('data/link'));
    linkSync(path('shared'), path('data/hard'));
    await giveTo({ uid: 12345, gid: 12346 }, path('data'));
    const owner = (name: string) => [lstatSync(path(name)).uid, lstatSync(path(name)).gid];
    for (const name of ['data', 'data/store', 'data/store/db', 'data/link'])
      expect(owner(name)).toEqual([12345, 12346]);
    for (const name of ['elsewhere', 'shared']) expect(owner(name)).toEqual([0, 0]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
