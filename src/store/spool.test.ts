import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { fakeClock } from '../testing/fake-clock.ts';
import { type TemporaryDirectory, temporaryDirectory, textOf } from '../testing/store.ts';
import { contentBytes, readContent } from './content.ts';
import type { Content } from './message.ts';
import { createSpool, type Spool, spoolDirectory } from './spool.ts';

async function spooled(spool: Spool, octets: string | Buffer) {
  const writer = await spool.begin();
  await writer.write(Buffer.from(octets));
  return spoolContent(await writer.commit());
}

function spoolContent(content: Content) {
  if (content.kind !== 'spool') throw new Error(`not in the spool, but ${content.kind}`);
  return { ...content, name: basename(content.path) };
}

const filesIn = ({ path }: TemporaryDirectory) => readdir(spoolDirectory(path));

test('commit() gives what was written, with its sum', async () => {
  await using directory = await temporaryDirectory();
  const spool = createSpool({ dataDir: directory.path });
  const writer = await spool.begin();
  await writer.write(Buffer.from('first '));
  await writer.write(Buffer.from('second'));
  const content = spoolContent(await writer.commit());
  expect(content).toMatchObject({ sizeBytes: 12, sum: crc32('first second') });
  expect(contentBytes(content)).toBe(12);
  expect(await readFile(content.path, 'utf8')).toBe('first second');
  expect(await filesIn(directory)).toEqual([content.name]);
  await spool.close();
});

test('abort() leaves nothing, before and after another abort, and after commit()', async () => {
  await using directory = await temporaryDirectory();
  const spool = createSpool({ dataDir: directory.path });
  for (const commits of [false, true]) {
    const writer = await spool.begin();
    await writer.write(Buffer.from('unwanted'));
    if (commits) await writer.commit();
    await writer.abort();
    await writer.abort();
    expect(await filesIn(directory)).toEqual([]);
  }
  await spool.close();
});

test('hold() leaves every file as it is whose message goes, until that ends', async () => {
  await using directory = await temporaryDirectory();
  const spool = createSpool({ dataDir: directory.path });
  const [recycled, removed] = [await spooled(spool, 'recycled'), await spooled(spool, 'removed')];
  const letGo = spool.hold();
  spool.recycle(recycled.name);
  spool.remove(removed.name);
  const next = await spooled(spool, 'the next one');
  expect(next.name).not.toBe(recycled.name);
  expect(await readFile(recycled.path, 'utf8')).toBe('recycled');
  expect(await readFile(removed.path, 'utf8')).toBe('removed');
  letGo();
  expect((await spooled(spool, 'another one')).name).toBe(recycled.name);
  await expect.poll(() => filesIn(directory)).not.toContain(removed.name);
  await spool.close();
});

test('recycle() gives the file to the next message, of which no reader sees what was there before', async () => {
  await using directory = await temporaryDirectory();
  const spool = createSpool({ dataDir: directory.path });
  const first = await spooled(spool, 'a long message');
  const other = await spooled(spool, 'not done yet');
  spool.recycle(first.name);
  const second = await spooled(spool, 'short');
  expect(second.name).toBe(first.name);
  expect(await readFile(second.path, 'utf8')).toBe('shortg message');
  expect(await textOf(readContent(second))).toBe('short');
  expect(await textOf(readContent(other))).toBe('not done yet');
  spool.recycle(second.name);
  const third = await spooled(spool, 'now a very long message');
  expect([third.name, await textOf(readContent(third))]).toEqual([first.name, 'now a very long message']);
  await spool.close();
});

test('a file without a use goes after ten seconds', async () => {
  await using directory = await temporaryDirectory();
  const clock = fakeClock();
  const spool = createSpool({ dataDir: directory.path, clock });
  const [first, second] = [await spooled(spool, 'one'), await spooled(spool, 'two')];
  spool.recycle(first.name);
  clock.advance(6_000);
  spool.recycle(second.name);
  clock.advance(6_000);
  await expect.poll(() => filesIn(directory)).toEqual([second.name]);
  clock.advance(10_000);
  await expect.poll(() => filesIn(directory)).toEqual([]);
  expect(await textOf(readContent(await spooled(spool, 'three')))).toBe('three');
  await spool.close();
});

test('close() removes what is kept, and leaves what belongs to messages', async () => {
  await using directory = await temporaryDirectory();
  const spool = createSpool({ dataDir: directory.path });
  const [first, second] = [await spooled(spool, 'one'), await spooled(spool, 'two')];
  spool.recycle(first.name);
  await spool.close();
  expect(await filesIn(directory)).toEqual([second.name]);
});

test('64 files stay open at most: those of messages that wait longest are let go, and removed with them', async () => {
  await using directory = await temporaryDirectory();
  const spool = createSpool({ dataDir: directory.path });
  const all: Awaited<ReturnType<typeof spooled>>[] = [];
  for (let number = 0; number < 66; number++) all.push(await spooled(spool, `message ${number}`));
  for (const { name } of all) spool.recycle(name);
  await expect.poll(() => filesIn(directory)).toHaveLength(64);
  expect(await filesIn(directory)).not.toContain(all[0]?.name);
  await spool.close();
  expect(await filesIn(directory)).toEqual([]);
});

test('a file over 1 MiB is not kept', async () => {
  await using directory = await temporaryDirectory();
  const spool = createSpool({ dataDir: directory.path });
  const { name } = await spooled(spool, Buffer.alloc(1024 * 1024 + 1));
  spool.recycle(name);
  await spool.close();
  expect(await filesIn(directory)).toEqual([]);
});

test('remove() warns where a file cannot be removed, and an unknown one is no trouble', async () => {
  await using directory = await temporaryDirectory();
  const warnings: string[] = [];
  const spool = createSpool({ dataDir: directory.path, warn: (text) => warnings.push(text) });
  const { path, name } = await spooled(spool, 'one');
  spool.remove('unknown');
  await rm(path);
  await mkdir(path);
  spool.remove(name);
  await spool.close();
  expect(warnings).toEqual([expect.stringContaining(`Cannot remove spool file ${name}`)]);
  expect((await stat(path)).isDirectory()).toBe(true);
});

test('a reader goes on when its file is let go meanwhile; the next one opens it by its path', async () => {
  await using directory = await temporaryDirectory();
  const spool = createSpool({ dataDir: directory.path });
  const content = await spooled(spool, Buffer.alloc(200_000, 'x'));
  let length = 0;
  for await (const chunk of readContent(content)) {
    if (length === 0) await spool.close();
    length += chunk.length;
  }
  expect(length).toBe(200_000);
  expect(content.file?.openReader()).toBeUndefined();
  expect(await textOf(readContent(content))).toHaveLength(200_000);
});

test('readContent() gives chunks of a size, in memory of their own or shared', async () => {
  await using directory = await temporaryDirectory();
  const body = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
  const spool = createSpool({ dataDir: directory.path });
  const content = await spooled(spool, body);
  const own: Buffer[] = [];
  for await (const chunk of readContent(content)) own.push(chunk);
  expect(own.map(({ length }) => length)).toEqual([65_536, 65_536, 65_536, 65_536, 37_856]);
  expect(Buffer.concat(own).equals(body)).toBe(true);
  const copies: Buffer[] = [];
  const places = new Set<ArrayBufferLike>();
  for await (const chunk of readContent(content, { shared: true })) {
    copies.push(Buffer.from(chunk));
    places.add(chunk.buffer);
  }
  expect(places.size).toBe(1);
  expect(Buffer.concat(copies).equals(body)).toBe(true);
  await spool.close();
});
