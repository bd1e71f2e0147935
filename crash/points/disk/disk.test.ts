import { expect, test } from 'vitest';
import type { FileRecord } from '../../recorder/log.ts';
import { Disk } from './disk.ts';
import { type Fate, makeWhim, type Whim, whimNames } from './whim.ts';
import { wreck } from './wreck.ts';

const root = '/disk';
const inodes = { root: 1, a: 2, b: 3, file: 4 };

const create = (path: string, inode = inodes.file): FileRecord => ({
  kind: 'create',
  inode,
  path: `${root}/${path}`,
});
const mkdir = (path: string, inode: number): FileRecord => ({
  kind: 'mkdir',
  inode,
  path: `${root}/${path}`,
});
const write = (text: string, offset = 0): FileRecord => ({
  kind: 'write',
  inode: inodes.file,
  offset,
  octets: Buffer.from(text),
});
const rename = (from: string, to: string): FileRecord => ({
  kind: 'rename',
  inode: inodes.file,
  from: `${root}/${from}`,
  to: `${root}/${to}`,
});
const sync = (inode: number): FileRecord[] => [
  { kind: 'syncBegun', inode, thread: 7 },
  { kind: 'syncDone', inode, thread: 7 },
];

function diskAfter(...records: FileRecord[]): Disk {
  const disk = new Disk(root, inodes.root);
  for (const record of records) disk.apply(record);
  return disk;
}

/** Names and octets, as one text each: `a/file=text`. */
function filesIn(disk: Disk, whim: Whim): string[] {
  return wreck(disk, whim)
    .files.map(({ path, image }) => `${path}=${Buffer.concat(image.pieces())}`)
    .sort();
}

const whim = (names: boolean, octets: Fate): Whim => ({
  name: 'as told',
  ofName: () => names,
  ofChange: () => octets,
  ofSector: () => true,
});

const nothing = whim(false, 'lost');
const everything = whim(true, 'landed');

/** All that a power cut may leave, by a thousand whims. */
function outcomes(disk: Disk): Set<string> {
  const all = Array.from({ length: 100 }, (_, seed) =>
    whimNames.map((name) =>
      filesIn(disk, makeWhim(name, { seed, moment: 0, newest: disk.changes })).join(' '),
    ),
  );
  return new Set(all.flat());
}

test('a synced file is gone without a sync of its directory', () => {
  const disk = diskAfter(create('file'), write('text'), ...sync(inodes.file));
  expect(filesIn(disk, nothing)).toEqual([]);
  expect(filesIn(disk, everything)).toEqual(['file=text']);
});

test('a synced directory is gone with all that is in it, where the one above it was not synced', () => {
  const inside = [
    mkdir('a', inodes.a),
    create('a/file'),
    write('text'),
    ...sync(inodes.file),
    ...sync(inodes.a),
  ];
  expect(filesIn(diskAfter(...inside), nothing)).toEqual([]);
  expect(filesIn(diskAfter(...inside, ...sync(inodes.root)), nothing)).toEqual(['a/file=text']);
});

test('a name without a sync of the file may stand for nothing, for zeros, or for the octets', () => {
  const disk = diskAfter(create('file'), write('text'), ...sync(inodes.root));
  expect(outcomes(disk)).toEqual(new Set(['file=', 'file=\0\0\0\0', 'file=text']));
});

test('only what came before the beginning of a sync is durable at its end', () => {
  const disk = diskAfter(
    create('file'),
    ...sync(inodes.root),
    write('before'),
    { kind: 'syncBegun', inode: inodes.file, thread: 7 },
    write('DURING'),
    { kind: 'syncDone', inode: inodes.file, thread: 7 },
  );
  expect(filesIn(disk, nothing)).toEqual(['file=before']);
  expect(filesIn(disk, everything)).toEqual(['file=DURING']);
});

/** Two directories, and a file in the first; all of it durable. */
const inTheFirst = [
  mkdir('a', inodes.a),
  mkdir('b', inodes.b),
  create('a/file'),
  ...sync(inodes.root),
  ...sync(inodes.a),
];

test('a rename leaves the old name, the new one, or both, but never none', () => {
  const disk = diskAfter(...inTheFirst, rename('a/file', 'b/file'));
  expect(outcomes(disk)).toEqual(new Set(['a/file=', 'b/file=', 'a/file= b/file=']));
});

test('a sync of the directory that a file left makes its new name durable too', () => {
  const disk = diskAfter(...inTheFirst, rename('a/file', 'b/file'), ...sync(inodes.a));
  expect(filesIn(disk, nothing)).toEqual(['b/file=']);
});

test('a sync of the directory that a file came to leaves the old name possible', () => {
  const disk = diskAfter(...inTheFirst, rename('a/file', 'b/file'), ...sync(inodes.b));
  expect(outcomes(disk)).toEqual(new Set(['b/file=', 'a/file= b/file=']));
});

test('an unlink may land before what came before it, or not at all', () => {
  const disk = diskAfter(create('file'), create('other', 9), ...sync(inodes.root), create('new', 10), {
    kind: 'unlink',
    inode: inodes.file,
    path: `${root}/file`,
  });
  expect(outcomes(disk)).toEqual(new Set(['file= other=', 'other=', 'file= new= other=', 'new= other=']));
});

test('a write is torn by sectors, and a sector that landed has all that was written to it before', () => {
  const disk = diskAfter(create('file'), ...sync(inodes.root), write('a'.repeat(1024)), write('b', 600));
  const second: Whim = {
    ...everything,
    ofChange: ({ number }) => (number === disk.changes ? 'landed' : 'lost'),
  };
  const [text = ''] = filesIn(disk, second);
  expect(text).toBe(`file=${'\0'.repeat(512)}${'a'.repeat(88)}b${'a'.repeat(423)}`);
});

test('disks with the same names and octets have the same hash, however they came to be', () => {
  const slowly = diskAfter(create('file'), write('te'), write('xt', 2));
  const durable = diskAfter(create('file'), write('text'), ...sync(inodes.file), ...sync(inodes.root));
  expect(wreck(slowly, everything).hash).toBe(wreck(durable, nothing).hash);
  expect(wreck(slowly, nothing).hash).not.toBe(wreck(durable, nothing).hash);
});

test('a change of a file that the recorder has never seen is an error, not a guess', () => {
  expect(() => diskAfter(write('text'))).toThrow('how it came into being was not recorded');
});
