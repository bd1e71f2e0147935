import { copyFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../../../testing/store.ts';
import { copyImage, flipBit, type StoreImage, seeded, storeImage } from '../../../testing/store-image.ts';
import { openEngine } from '../open-engine.ts';
import { describeDamage } from './damage.ts';
import { examineFiles } from './examine.ts';
import { pageBytes } from './format.ts';
import { frameBytes, logHeaderBytes, readLog } from './log.ts';
import { emptyNote, NoteFile, readNote } from './note.ts';

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
  ['the note cut', 'note', 0.9, /is not as it was written: whether the end of posthorn\.db-wal is lost/],
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
  if (log === undefined) throw new Error('The image has no log');
  const file = new NoteFile(image.files.note);
  file.write({ mark: { salts: [log.salts[0] + 1, log.salts[1]], frames: 1 }, proofs: [] });
  file.close();
  expect(damageOf(image)).toMatchObject([
    { file: image.files.log, what: expect.stringMatching(/or an older one/) },
  ]);
});

/** As another program does that only looks at the database: SQLite copies the log back and removes it. */
function lookAt({ files }: StoreImage): void {
  const database = new Database(files.database);
  database.prepare('SELECT count(*) FROM messages').get();
  database.close();
}

test('examineFiles() does not take a changed page for a log that SQLite has copied back', async () => {
  const image = await scratch(killed, 'lost and changed');
  const random = seeded(4);
  rmSync(image.files.log);
  const { size } = statSync(image.files.database);
  for (let seed = 0; seed < 40; seed++) {
    const [offset, bit] = [random(size), random(8)];
    flipBit(image.files.database, offset, bit);
    expect(damageOf(image)).toMatchObject([
      { file: image.files.log, what: expect.stringMatching(/is missing, and with it mail/) },
      { file: image.files.database, page: Math.floor(offset / pageBytes) + 1 },
    ]);
    flipBit(image.files.database, offset, bit);
  }
});

test('examineFiles() knows a log that SQLite has copied back, of the last commit or of the one before its sync', async () => {
  const image = await scratch(killed, 'copied back');
  const note = readNote(image.files.note);
  if (note === undefined || note === 'damaged') throw new Error('The image has no note');
  lookAt(image);
  expect(examineFiles(image.files, all)).toMatchObject({ evidence: 'copied-back', damage: [] });
  expect(messagesOf(await scratch(image, 'copied back, opened'))).toEqual(killed.messages);
  const file = new NoteFile(image.files.note);
  const other = { page: 1, sum: 1 };
  file.write({ mark: note.mark, proofs: [other, ...note.proofs] });
  expect(examineFiles(image.files, all)).toMatchObject({ evidence: 'copied-back', damage: [] });
  file.write({ mark: note.mark, proofs: [other] });
  expect(damageOf(image)).toContainEqual(
    expect.objectContaining({
      file: image.files.log,
      what: expect.stringMatching(/is missing, and with it mail/),
    }),
  );
  file.write(emptyNote);
  file.close();
  expect(damageOf(image)).toContainEqual(
    expect.objectContaining({
      file: image.files.log,
      what: expect.stringMatching(/but the database has changed/),
    }),
  );
});

test('examineFiles() finds a log that was cut, also where the sums are damaged or gone', async () => {
  const image = await scratch(killed, 'cut, without sums');
  truncateSync(image.files.log, Math.floor(statSync(image.files.log).size / 2));
  const cut = {
    file: image.files.log,
    what: expect.stringMatching(/as it was written up to frame \d+ only/),
  };
  flipBit(image.files.sums, 3, 3);
  expect(damageOf(image)).toMatchObject([{ file: image.files.sums }, cut]);
  rmSync(image.files.sums);
  expect(damageOf(image)).toMatchObject([cut]);
});

test('examineFiles() says what cannot be seen where the note is gone, and where the sums are gone too', async () => {
  const image = await scratch(killed, 'without note');
  rmSync(image.files.note);
  expect(damageOf(image)).toMatchObject([
    { file: image.files.note, what: expect.stringMatching(/is missing: whether the end of .* is lost/) },
  ]);
  rmSync(image.files.sums);
  expect(examineFiles(image.files, all)).toMatchObject({ evidence: 'none', damage: [] });
  copyFileSync(killed.files.note, image.files.note);
  expect(examineFiles(image.files, all)).toMatchObject({ evidence: 'note', damage: [] });
});

test('examineFiles() names a log that is left of another copy of the store', async () => {
  const image = await scratch(stopped, 'foreign-log');
  const other = await storeImage(join(directory.path, 'other'), 60, 'killed');
  copyFileSync(other.files.log, image.files.log);
  const [first] = damageOf(image);
  expect(first).toMatchObject({ file: image.files.log, what: expect.stringMatching(/^is of another time/) });
  expect(() => openEngine({ dataDir: image.dataDir })).toThrow(/is of another time/);
});

test('examineFiles() takes a log that an orderly end has left, as it has nothing that the database has not', async () => {
  const image = await scratch(killed, 'left-log');
  const opened = openEngine({ dataDir: image.dataDir });
  opened.books.finish();
  const log = readFileSync(image.files.log);
  opened.close('whole');
  writeFileSync(image.files.log, log);
  expect(readLog(image.files.log)?.frames.length).toBeGreaterThan(0);
  expect(damageOf(image)).toEqual([]);
});

/** As the version before has written it: with the note in the sums. */
function withoutNote({ files }: StoreImage): void {
  const note = readNote(files.note);
  const sums = readFileSync(files.sums);
  sums.write('posthorn sums 1\n', 'latin1');
  if (typeof note === 'object' && note.mark !== undefined) {
    for (const [index, salt] of note.mark.salts.entries()) sums.writeUInt32LE(salt, 16 + 4 * index);
    sums.writeUInt32LE(note.mark.frames, 24);
  }
  sums.writeUInt32LE(crc32(sums.subarray(0, 36)), 36);
  writeFileSync(files.sums, sums);
  rmSync(files.note);
}

test('examineFiles() reads what the version before has noted, of a store that was killed and of one that was stopped', async () => {
  for (const [name, source] of Object.entries({ killed, stopped })) {
    const image = await scratch(source, `earlier-${name}`);
    withoutNote(image);
    expect(damageOf(image)).toEqual([]);
    expect(messagesOf(image)).toEqual(source.messages);
  }
  const image = await scratch(killed, 'earlier-cut');
  withoutNote(image);
  truncateSync(image.files.log, logHeaderBytes + 2 * frameBytes);
  expect(damageOf(image)).toMatchObject([{ file: image.files.log }]);
});
