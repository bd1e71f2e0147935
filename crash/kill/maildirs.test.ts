import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { numbered } from '../../e2e/peers/flood.ts';
import { temporaryDirectory } from '../../src/testing/store.ts';
import { bodyOf } from './letters.ts';
import { watchMaildir } from './maildirs.ts';

const message = (number: number) =>
  numbered({ number, from: 'a@example.org', to: ['bob@example.com'], body: bodyOf(number) });

async function world() {
  const directory = await temporaryDirectory();
  const file = (part: string, name: string) => join(directory.path, part, name);
  for (const part of ['new', 'cur']) await mkdir(join(directory.path, part));
  const seen: number[] = [];
  const watch = watchMaildir(directory.path, (octets) => seen.push(octets.length));
  return { file, seen, watch, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

test('look() sees each file once, and no double in a message that was only moved or came again after it was gone', async () => {
  await using w = await world();
  await writeFile(w.file('new', 'a'), message(1));
  await w.watch.look();
  await w.watch.look();
  expect(w.seen).toHaveLength(1);
  await rename(w.file('new', 'a'), w.file('cur', 'a:2,S'));
  await w.watch.look();
  await rm(w.file('cur', 'a:2,S'));
  await writeFile(w.file('new', 'b'), message(1));
  await w.watch.look();
  expect([...w.watch.doubles]).toEqual([]);
});

test('look() finds a message that is there twice, also under one name in new/ and in cur/, and though it goes later', async () => {
  await using w = await world();
  await writeFile(w.file('cur', 'a:2,S'), message(7));
  await w.watch.look();
  await writeFile(w.file('new', 'a'), message(7));
  await w.watch.look();
  await rm(w.file('new', 'a'));
  await w.watch.look();
  expect([...w.watch.doubles]).toEqual([7]);
});

test('look() shows what is no message too', async () => {
  await using w = await world();
  await writeFile(w.file('new', 'a'), '');
  await w.watch.look();
  expect(w.seen).toEqual([0]);
});
