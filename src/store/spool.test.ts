import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { temporaryDirectory, textOf } from '../testing/store.ts';
import { contentBytes, readContent } from './content.ts';
import { createSpool, spoolDirectory } from './spool.ts';

test('commit() names the file only when it is whole', async () => {
  await using directory = await temporaryDirectory();
  const writer = await createSpool(directory.path).begin('Q1');
  await writer.write(Buffer.from('first '));
  await writer.write(Buffer.from('second'));
  expect(await readdir(spoolDirectory(directory.path))).toEqual(['Q1.tmp']);
  const content = await writer.commit();
  const sum = crc32('first second');
  expect(content).toEqual({ kind: 'spool', path: join(directory.path, 'spool', 'Q1'), sizeBytes: 12, sum });
  expect(contentBytes(content)).toBe(12);
  expect(await textOf(readContent(content))).toBe('first second');
});

test('abort() leaves nothing, before and after another abort', async () => {
  await using directory = await temporaryDirectory();
  const writer = await createSpool(directory.path).begin('Q1');
  await writer.write(Buffer.from('unwanted'));
  await writer.abort();
  await writer.abort();
  expect(await readdir(spoolDirectory(directory.path))).toEqual([]);
});

test('begin() refuses a queue id that would leave the directory', async () => {
  await using directory = await temporaryDirectory();
  await expect(createSpool(directory.path).begin('../accounts/x')).rejects.toThrow(RangeError);
});

test('readContent() gives chunks of a size, in memory of their own or shared', async () => {
  await using directory = await temporaryDirectory();
  const writer = await createSpool(directory.path).begin('Q1');
  const body = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 251));
  await writer.write(body);
  const content = await writer.commit();
  const own: Buffer[] = [];
  for await (const chunk of readContent(content)) own.push(chunk);
  expect(own.map(({ length }) => length)).toEqual([65_536, 65_536, 65_536, 3392]);
  expect(Buffer.concat(own).equals(body)).toBe(true);
  const copies: Buffer[] = [];
  const places = new Set<ArrayBufferLike>();
  for await (const chunk of readContent(content, { shared: true })) {
    copies.push(Buffer.from(chunk));
    places.add(chunk.buffer);
  }
  expect(places.size).toBe(1);
  expect(Buffer.concat(copies).equals(body)).toBe(true);
});

test('readContent() gives a large file in bounded chunks', async () => {
  await using directory = await temporaryDirectory();
  const writer = await createSpool(directory.path).begin('Q1');
  const body = Buffer.alloc(300_000, 'line\r\n');
  await writer.write(body);
  const content = await writer.commit();
  const sizes: number[] = [];
  for await (const chunk of readContent(content)) sizes.push(chunk.length);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(64 * 1024);
  expect(content.kind === 'spool' && (await readFile(content.path)).equals(body)).toBe(true);
});
