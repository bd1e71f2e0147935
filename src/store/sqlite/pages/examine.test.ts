import { readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../../../testing/store.ts';
import { copyImage, flipBit, type StoreImage, seeded, storeImage } from '../../../testing/store-image.ts';
import { openEngine } from '../open-engine.ts';
import { describeDamage } from './damage.ts';
import { examineFiles } from './examine.ts';
import { pageBytes } from './format.ts';
import { frameBytes, logHeaderBytes, readLog } from './log.ts';
import { readSums, SumsFile } from './sums.ts';

const all = { maxChanged: 1000 };

let directory: TemporaryDirectory;
let stopped: StoreImage;
let killed: StoreImage;
beforeAll(async () => {
  directory = await temporaryDirectory();
  stopped = await storeImage(join(directory.path, 's'), 120, 'stopped');
  killed = await storeImage(join(directory.path, 'k'), 120, 'killed');
});
afterAll(() => directory[Symbol.asyncDispose]());

const damageOf = (image: StoreImage) => examineFiles(image.files, all).damage;
const scratch = (image: StoreImage, name: string) => copyImage(image, join(directory.path, name));

/** What a store would go on with: the octets of all messages by queue id. */
function messagesOf({ dataDir }: StoreImage): Map<string, Buffer> {
  const opened = openEngine({ dataDir });
  const rows = opened.database.prepare<[], [string, Buffer, string | null]>(
    'SELECT queue_id, octets, spool FROM messages',
  );
  const found = rows.raw().all();
  opened.close('whole');
  return new Map(
    found.map(([id, octets, spool]) => [
      id,
      spool === null ? octets : Buffer.concat([octets, readFileSync(join(dataDir, 'spool', spool))]),
    ]),
  );
}

test('examineFiles() finds nothing in what a stop, a crash and a restart leave', async () => {
  expect(damageOf(stopped)).toEqual([]);
  expect(damageOf(killed)).toEqual([]);
  const image = await scratch(killed, 'restarted');
  expect(messagesOf(image)).toEqual(killed.messages);
  expect(damageOf(image)).toEqual([]);
});

test('examineFiles() finds every flipped bit of a database that was stopped, and names page and table', async () => {
  const random = seeded(1);
  const image = await scratch(stopped, 'flipped');
  const { size } = statSync(image.files.database);
  for (let seed = 0; seed < 100; seed++) {
    const [offset, bit] = [random(size), random(8)];
    flipBit(image.files.database, offset, bit);
    const [first, ...others] = damageOf(image);
    expect(first).toMatchObject({ file: image.files.database, page: Math.floor(offset / pageBytes) + 1 });
    expect(describeDamage(first ?? { what: '' })).toMatch(/^page \d+ (\(.+\) )?is not as it was written$/);
    expect(others).toEqual([]);
    flipBit(image.files.database, offset, bit);
  }
});

test('examineFiles() finds every flipped bit of a log that is in use, or the bit does not matter', async () => {
  const random = seeded(2);
  const { size } = statSync(killed.files.log);
  for (let seed = 0; seed < 40; seed++) {
    const image = await scratch(killed, `log-${seed}`);
    const offset = random(size);
    flipBit(image.files.log, offset, random(8));
    const frames = readLog(killed.files.log)?.frames.length ?? 0;
    const inUse = offset < logHeaderBytes + frames * frameBytes;
    if (inUse) expect(damageOf(image), `octet ${offset}`).toMatchObject([{ file: image.files.log }]);
    else expect(messagesOf(image)).toEqual(killed.messages);
    rmSync(image.dataDir, { recursive: true });
  }
});

test.each([
  ['the database cut in the middle', 'database', 0.5, /ends after page \d+: at least \d+ pages .* missing/],
  ['the database cut to nothing', 'database', 0, /is missing, or empty/],
  ['the log cut in the middle', 'log', 0.5, /as it was written up to frame \d+ only/],
  ['the log cut to nothing', 'log', 0, /is missing, and with it mail/],
  ['the sums cut near their end', 'sums', 0.9, /has sums for \d+ pages, but the database has \d+/],
  ['the sums cut to nothing', 'sums', 0, /is not as it was written/],
] as const)('examineFiles() finds %s', async (name, file, part, text) => {
  const image = await scratch(file === 'log' ? killed : stopped, name);
  const path = image.files[file];
  truncateSync(path, Math.floor(statSync(path).size * part));
  expect(damageOf(image).map(describeDamage).join()).toMatch(text);
});

test('examineFiles() finds that the database is gone, or its log', async () => {
  const image = await scratch(killed, 'gone');
  rmSync(image.files.log);
  expect(damageOf(image)).toMatchObject([
    { file: image.files.log, what: expect.stringMatching(/is missing/) },
  ]);
  rmSync(image.files.database);
  expect(damageOf(image)).toMatchObject([{ file: image.files.database }, { file: image.files.log }]);
});

test('examineFiles() finds a log of an older time', async () => {
  const image = await scratch(killed, 'older');
  const log = readLog(image.files.log);
  const sums = readSums(image.files.sums);
  if (log === undefined || sums === undefined || sums === 'damaged') throw new Error('The image has no log');
  const file = new SumsFile(image.files.sums, sums);
  file.mark({ salts: [log.salts[0] + 1, log.salts[1]], frames: 1 });
  file.close();
  expect(damageOf(image)).toMatchObject([
    { file: image.files.log, what: expect.stringMatching(/or an older one/) },
  ]);
});
