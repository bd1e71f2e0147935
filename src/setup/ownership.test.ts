import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
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

it.skipIf(!isRoot)('giveTo() leaves what is in a directory of everybody’s, or of another user', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-owner-'));
  try {
    const path = (name: string) => join(directory, name);
    mkdirSync(path('maildrop'));
    mkdirSync(path('others'));
    for (const name of ['maildrop/new-a', 'others/file']) writeFileSync(path(name), '');
    chmodSync(path('maildrop'), 0o1733);
    chownSync(path('others'), 23456, 23456);
    await giveTo({ uid: 12345, gid: 12346 }, directory);
    const owner = (name: string) => lstatSync(path(name)).uid;
    // A message that root has handed in stays root's: as the server's own it could be sent in any name, and once more.
    expect(['.', 'maildrop', 'maildrop/new-a', 'others', 'others/file'].map(owner)).toEqual([
      12345, 12345, 0, 23456, 0,
    ]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
