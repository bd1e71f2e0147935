import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sampleMessage, type TemporaryDirectory, temporaryDirectory } from '../../../testing/store.ts';
import { flipBit, seeded } from '../../../testing/store-image.ts';
import { Arena } from '../../arena.ts';
import { openEngine } from '../open-engine.ts';
import { acceptTuple } from '../packing.ts';
import { storeFiles } from '../store-files.ts';
import { examineFiles } from './examine.ts';
import { frameBytes, logHeaderBytes, readLog } from './log.ts';

const sectorBytes = 512;
const commits = 15;

/** The files after each commit, one message each, of several pages: `name` is the number of messages in them. */
let directory: TemporaryDirectory;
const after = (messages: number) => storeFiles(join(directory.path, String(messages)));

beforeAll(async () => {
  directory = await temporaryDirectory();
  const dataDir = join(directory.path, 'work');
  await mkdir(join(dataDir, 'store'), { recursive: true });
  const { database, engine, books, close } = openEngine({ dataDir });
  for (let count = 1; count <= commits; count++) {
    const bytes = Buffer.alloc(20_000, `message ${count}\r\n`);
    const entry = sampleMessage(`Q${count}`, { message: { content: { kind: 'inline', bytes } } });
    database.exec('BEGIN');
    engine.perform(['accept', acceptTuple(entry, new Arena())]);
    database.exec('COMMIT');
    books.syncLog();
    await copyFiles(storeFiles(dataDir), after(count));
  }
  close('whole');
});
afterAll(() => directory[Symbol.asyncDispose]());

async function copyFiles(from: ReturnType<typeof storeFiles>, to: ReturnType<typeof storeFiles>) {
  await mkdir(to.directory, { recursive: true });
  for (const file of ['database', 'log', 'sums', 'note'] as const) copyFileSync(from[file], to[file]);
}

const framesKnown = new Map<number, number>();
function framesAfter(messages: number): number {
  const frames = framesKnown.get(messages) ?? readLog(after(messages).log)?.frames.length ?? 0;
  framesKnown.set(messages, frames);
  return frames;
}

const offsetOf = (frames: number): number => logHeaderBytes + frames * frameBytes;

/** The last commit's sectors in any mixture of new and old, as a power cut leaves them before its sync. */
function tearLastCommit(seed: number): Buffer {
  const random = seeded(seed);
  const whole = readFileSync(after(commits).log);
  const old = Buffer.concat([readFileSync(after(commits - 1).log), Buffer.alloc(whole.length)]);
  for (let at = offsetOf(framesAfter(commits - 1)); at < whole.length; ) {
    const end = Math.min(whole.length, (Math.floor(at / sectorBytes) + 1) * sectorBytes);
    if (random(2) === 0) old.copy(whole, at, at, end);
    at = end;
  }
  return whole;
}

test('readLog() does not take the torn end that a power cut leaves for damage', async () => {
  const files = storeFiles(join(directory.path, 'torn'));
  await copyFiles(after(commits - 1), files);
  for (let seed = 0; seed < 40; seed++) {
    writeFileSync(files.log, tearLastCommit(seed));
    expect(examineFiles(files, { maxChanged: 9 }).damage, `seed ${seed}`).toEqual([]);
    expect([framesAfter(commits - 1), framesAfter(commits)]).toContain(readLog(files.log)?.frames.length);
  }
});

test('readLog() finds damage before the last transaction by what follows it, whatever the mark says', () => {
  const random = seeded(3);
  const path = join(directory.path, 'flipped');
  const lastCommit = offsetOf(framesAfter(commits - 1));
  for (let seed = 0; seed < 40; seed++) {
    copyFileSync(after(commits).log, path);
    // But for the frame header of the commit before: without it, the next frame cannot be told from its remainder.
    const offset = random(lastCommit - frameBytes);
    flipBit(path, offset, random(8));
    const text =
      offset < logHeaderBytes ? /its header is not as it was written/ : /frame \d+ is not as it was written/;
    expect(readLog(path)?.damage, `octet ${offset}`).toMatch(text);
  }
});

test('readLog() takes frames that are left from an older generation of the log for what they are', () => {
  const path = join(directory.path, 'generations');
  const octets = readFileSync(after(commits).log);
  const cut = offsetOf(framesAfter(5));
  for (let at = cut; at < octets.length; at += frameBytes)
    octets.writeUInt32BE(octets.readUInt32BE(at + 8) - 1, at + 8);
  writeFileSync(path, octets);
  const log = readLog(path);
  expect(log?.damage).toBeUndefined();
  expect(log?.frames).toHaveLength(framesAfter(5));
});
