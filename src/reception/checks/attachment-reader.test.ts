import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as begun } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type FakeClock, fakeClock } from '../../testing/fake-clock.ts';
import { temporaryDirectory } from '../../testing/store.ts';
import { createAttachmentReader, idleMs, readTimeoutMs } from './attachment-reader.ts';
import { maxScanned } from './read-attachments.ts';

const letter = Buffer.from('Content-Disposition: attachment; filename=a.exe\r\n\r\nMZ');

/** Ten multiparts within one another, whose last part is nothing but lines that begin as the delimiters of all of them do. */
function hostile(sizeBytes: number): Buffer {
  const boundaries = Array.from({ length: 10 }, (_, index) => 'b'.repeat(index + 1));
  const heads = boundaries.map((b) => `Content-Type: multipart/mixed; boundary=${b}\r\n\r\n--${b}\r\n`);
  return Buffer.concat([Buffer.from(`${heads.join('')}\r\n`), Buffer.alloc(sizeBytes, '\n--bbbbbbbbbbx')]);
}

async function reading(clock: FakeClock = fakeClock(), heapMb?: number) {
  const directory = await temporaryDirectory();
  const reader = createAttachmentReader(clock, heapMb);
  let files = 0;
  return {
    reader,
    async spooled(octets: Buffer) {
      const path = join(directory.path, `${++files}`);
      await writeFile(path, octets);
      return { kind: 'spool' as const, path, sizeBytes: octets.length };
    },
    async [Symbol.asyncDispose]() {
      await reader.stop();
      await directory[Symbol.asyncDispose]();
    },
  };
}

test('what is attached is found on another thread, whose work is not this one’s', async () => {
  await using parts = await reading();
  const content = await parts.spooled(hostile(12 * 2 ** 20));
  const before = process.threadCpuUsage();
  expect(await parts.reader.read(content)).toEqual({ names: [], extensions: [], types: ['text/plain'] });
  const { user, system } = process.threadCpuUsage(before);
  // Read here it takes some 650.
  expect((user + system) / 1000).toBeLessThan(200);
});

test('several at once are read one after the other, each answer to its own', async () => {
  await using parts = await reading();
  const names = ['a.exe', 'b.js', 'c.pdf'];
  const contents = names.map((name) =>
    parts.spooled(Buffer.from(`Content-Disposition: attachment; filename=${name}\r\n\r\nx`)),
  );
  const found = (await Promise.all(contents)).map((content) => parts.reader.read(content));
  expect((await Promise.all(found)).flatMap((each) => each.names)).toEqual(names);
});

test('one that takes too long is given up, what it has is not known, and the next is read', async () => {
  const clock = fakeClock();
  await using parts = await reading(clock);
  const found = parts.reader.read(await parts.spooled(hostile(maxScanned)));
  await begun();
  clock.advance(readTimeoutMs);
  expect(await found).toEqual({ names: [], extensions: [], types: [], cut: 'reading it took over 10 s' });
  expect(await parts.reader.read(await parts.spooled(letter))).toMatchObject({ names: ['a.exe'] });
});

test('one that takes too much memory is given up, and the next is read', async () => {
  await using parts = await reading(fakeClock(), 16);
  const fields = `--b\n${'a:\n'.repeat(300_000)}\nx\n`;
  const many = Buffer.from(`Content-Type: multipart/mixed; boundary=b\n\n${fields.repeat(4)}`);
  expect(await parts.reader.read(await parts.spooled(many))).toMatchObject({
    names: [],
    cut: 'reading it took too much memory',
  });
  expect(await parts.reader.read(await parts.spooled(letter))).toMatchObject({ names: ['a.exe'] });
});

test('the thread ends when it has been idle, and another one begins', async () => {
  const clock = fakeClock();
  await using parts = await reading(clock);
  const content = await parts.spooled(letter);
  await parts.reader.read(content);
  clock.advance(idleMs - 1);
  await parts.reader.read(content);
  expect(clock.planned).toEqual([clock.now() + idleMs]);
  clock.advance(idleMs);
  expect(clock.planned).toEqual([]);
  expect(await parts.reader.read(content)).toMatchObject({ names: ['a.exe'] });
});

test('a file that is not what was accepted is an error of ours, and no fact', async () => {
  await using parts = await reading();
  const content = await parts.spooled(letter);
  await expect(parts.reader.read({ ...content, sum: 1 })).rejects.toThrow('not those that were accepted');
  await expect(parts.reader.read({ ...content, path: `${content.path}x` })).rejects.toThrow('ENOENT');
  expect(await parts.reader.read(content)).toMatchObject({ names: ['a.exe'] });
});

test('what lies behind the limit is told to be cut', async () => {
  await using parts = await reading();
  const long = Buffer.concat([letter, Buffer.alloc(maxScanned)]);
  expect(await parts.reader.read(await parts.spooled(long))).toMatchObject({
    names: ['a.exe'],
    cut: `what is behind ${maxScanned} octets`,
  });
});

test('stop() ends what is under way, and what waits does not begin', async () => {
  const clock = fakeClock();
  await using parts = await reading(clock);
  const content = await parts.spooled(hostile(maxScanned));
  const found = Promise.allSettled([parts.reader.read(content), parts.reader.read(content)]);
  await begun();
  await parts.reader.stop();
  expect(await found).toMatchObject([
    { reason: { message: 'the thread that reads attachments has ended' } },
    { reason: { message: 'attachments are not read any more: the server stops' } },
  ]);
  expect(clock.planned).toEqual([]);
});
