import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../../testing/store.ts';
import { flipBit } from '../../../testing/store-image.ts';
import { createSums, readSums, type Sums, SumsFile, sumOf } from './sums.ts';

async function world() {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'sums');
  createSums(path, Buffer.from(new Uint32Array([11, 22, 33]).buffer));
  return { path, read: () => read(path), [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

function read(path: string): Sums {
  const sums = readSums(path);
  if (sums === undefined || sums === 'damaged') throw new Error(`The sums are ${sums}`);
  return sums;
}

const sumsIn = (sums: Sums): number[] => [1, 2, 3, 4, 5].map((page) => sumOf(sums, page));

test('SumsFile keeps sums and suspect', async () => {
  await using w = await world();
  const file = new SumsFile(w.path, w.read());
  file.suspect(2);
  expect(w.read()).toMatchObject({ suspect: 2, isInUse: true });
  file.update(
    new Map([
      [2, 222],
      [5, 555],
    ]),
    5,
  );
  expect(sumsIn(w.read())).toEqual([11, 222, 33, 0, 555]);
  file.rest();
  expect(w.read().isInUse).toBe(false);
  file.close();
});

test('SumsFile forgets the sums of pages that the database has no more', async () => {
  await using w = await world();
  const file = new SumsFile(w.path, w.read());
  file.update(
    new Map([
      [1, 111],
      [3, 333],
    ]),
    1,
  );
  file.reserve(3);
  expect(sumsIn(w.read())).toEqual([111, 0, 0, 0, 0]);
  file.close();
});

test('readSums() finds a changed header, and knows nothing of a file that is not there', async () => {
  await using w = await world();
  for (let offset = 0; offset < 40; offset++) {
    flipBit(w.path, offset, offset % 8);
    expect(readSums(w.path), `octet ${offset}`).toBe('damaged');
    flipBit(w.path, offset, offset % 8);
  }
  expect(statSync(w.path).mode & 0o777).toBe(0o600);
  writeFileSync(w.path, readFileSync(w.path).subarray(0, 500));
  expect(readSums(w.path)).toBe('damaged');
  expect(readSums(`${w.path}-not-there`)).toBeUndefined();
});
