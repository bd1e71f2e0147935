import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../../../testing/store.ts';
import {
  copyImage,
  flipBit,
  type Random,
  type StoreImage,
  seeded,
  storeImage,
} from '../../../testing/store-image.ts';
import { pageBytes } from '../pages/format.ts';
import { frameBytes, logHeaderBytes, newestFrames, readLog } from '../pages/log.ts';
import { readEnvelope } from './envelope.ts';
import { salvageStore } from './salvage.ts';

/** Rounds of each kind of damage; more by hand. Each writes hundreds of files. */
const rounds = Number(process.env.SALVAGE_ROUNDS ?? 5);

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
afterAll(() => vi.resetConfig());

let directory: TemporaryDirectory;
let stopped: StoreImage;
let killed: StoreImage;
/** The pages that each message lies on, by SQLite's own account. */
let pagesOf: Record<'stopped' | 'killed', Map<string, number[]>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
  stopped = await storeImage(join(directory.path, 's'), 300, 'stopped');
  killed = await storeImage(join(directory.path, 'k'), 300, 'killed');
  pagesOf = { stopped: await messagePages(stopped), killed: await messagePages(killed) };
});
afterAll(() => directory[Symbol.asyncDispose]());

interface Leaf {
  pageno: number;
  path: string;
  ncell: number;
}

/** From SQLite's dbstat: leaves in order of rowids with how many rows each has; overflow pages by leaf and row. */
async function messagePages(image: StoreImage): Promise<Map<string, number[]>> {
  const copy = await copyImage(image, join(image.dataDir, '..', 'mapped'));
  const database = new Database(copy.files.database);
  const stat = database.prepare<[string], Leaf>(
    `SELECT pageno, path, ncell FROM dbstat WHERE name = 'messages' AND pagetype = ? ORDER BY path`,
  );
  const ids = database.prepare<[], string>('SELECT queue_id FROM messages ORDER BY rowid').pluck().all();
  const overflow = stat.all('overflow');
  const pages = new Map<string, number[]>();
  for (const { pageno, path, ncell } of stat.all('leaf'))
    for (let cell = 0; cell < ncell; cell++) {
      const prefix = `${path}${cell.toString(16).padStart(3, '0')}+`;
      const own = overflow.filter((page) => page.path.startsWith(prefix)).map((page) => page.pageno);
      pages.set(ids.shift() ?? '', [pageno, ...own]);
    }
  database.close();
  return pages;
}

interface Round {
  image: StoreImage;
  to: string;
  random: Random;
}

async function damaged(of: StoreImage, seed: number): Promise<Round> {
  const name = join(directory.path, `round-${seed}-${of === stopped ? 'stopped' : 'killed'}`);
  return { image: await copyImage(of, name), to: `${name}-out`, random: seeded(seed) };
}

/** Everything that holds whatever was damaged, and that the messages on `hurt` pages alone are missing. */
async function checkSalvage(
  { image, to }: Round,
  pages: Map<string, number[]>,
  hurt: ReadonlySet<number>,
  note: string,
) {
  const report = await salvageStore(image.dataDir, to);
  const names = readdirSync(join(to, 'messages')).filter((name) => name.endsWith('.eml'));
  const found = new Set(names.map((name) => name.slice(0, -'.eml'.length)));
  const expected = [...pages].filter(([, own]) => !own.some((page) => hurt.has(page))).map(([id]) => id);
  expect(
    expected.filter((id) => !found.has(id)),
    `${note}: missing`,
  ).toEqual([]);
  const queued = new Set(image.messages.keys());
  const unsure = new Set([...report.doubtful, ...report.withoutRecipients]);
  for (const id of found) {
    const octets = readFileSync(join(to, 'messages', `${id}.eml`));
    if (queued.has(id))
      expect(octets.equals(image.messages.get(id) ?? Buffer.alloc(0)), `${note}: ${id}`).toBe(true);
    else expect(unsure.has(id), `${note}: ${id} was delivered already`).toBe(true);
    const envelope = readEnvelope(readFileSync(join(to, 'messages', `${id}.json`), 'utf8'));
    if (envelope.doubts.length > 0) continue;
    expect(envelope.recipients.map(({ recipient }) => recipient)).toEqual(image.recipients.get(id));
  }
  rmSync(image.dataDir, { recursive: true });
  rmSync(to, { recursive: true });
  return report;
}

const seeds = Array.from({ length: rounds }, (_, seed) => seed + 1);

test('salvageStore() brings everything out of a store that is whole, and nothing that was delivered', async () => {
  for (const image of [stopped, killed]) {
    const round = await damaged(image, 0);
    const report = await checkSalvage(
      round,
      pagesOf[image === stopped ? 'stopped' : 'killed'],
      new Set(),
      'whole',
    );
    expect(report).toMatchObject({
      damage: [],
      pages: { damaged: 0 },
      messages: 200,
      withoutRecipients: [],
      doubtful: [],
      damaged: [],
      lost: [],
      mayLackMore: [],
      orphans: [],
      accounts: 40,
      aliases: 1,
      doubtfulAddresses: [],
    });
  }
});

describe('salvageStore() brings out every message whose pages are not damaged', () => {
  test.each(seeds)('flipped bits in the database, seed %i', async (seed) => {
    const round = await damaged(stopped, seed);
    const { image, random } = round;
    const { length } = readFileSync(image.files.database);
    const hurt = new Set<number>();
    for (let flips = 1 + random(30); flips > 0; flips--) {
      const offset = random(length);
      flipBit(image.files.database, offset, random(8));
      hurt.add(Math.floor(offset / pageBytes) + 1);
    }
    const report = await checkSalvage(round, pagesOf.stopped, hurt, `seed ${seed}`);
    expect(report.pages.damaged).toBe(hurt.size);
  });

  test.each(seeds)('pages overwritten, seed %i', async (seed) => {
    const round = await damaged(stopped, seed + 1000);
    const { image, random } = round;
    const octets = readFileSync(image.files.database);
    const hurt = new Set<number>();
    for (let pages = 1 + random(40); pages > 0; pages--) {
      const page = 1 + random(octets.length / pageBytes);
      const junk = Buffer.from(Array.from({ length: pageBytes }, () => (seed % 2 ? random(256) : 0)));
      junk.copy(octets, (page - 1) * pageBytes);
      hurt.add(page);
    }
    writeFileSync(image.files.database, octets);
    await checkSalvage(round, pagesOf.stopped, hurt, `seed ${seed}`);
  });

  test.each(seeds)('the file cut, without its sums, seed %i', async (seed) => {
    const round = await damaged(stopped, seed + 2000);
    const { image, random } = round;
    const pages = readFileSync(image.files.database).length / pageBytes;
    const kept = random(pages);
    truncateSync(image.files.database, kept * pageBytes + random(pageBytes));
    rmSync(image.files.sums);
    const hurt = new Set(Array.from({ length: pages - kept }, (_, index) => kept + index + 1));
    await checkSalvage(round, pagesOf.stopped, hurt, `seed ${seed}`);
  });

  test.each(seeds)('flipped bits in database and log after a crash, seed %i', async (seed) => {
    const round = await damaged(killed, seed + 3000);
    const { image, random } = round;
    const log = readLog(image.files.log);
    const newest = newestFrames(log ?? { frames: [] });
    const hurt = new Set<number>();
    const inDatabase = readFileSync(image.files.database).length;
    const inLog = logHeaderBytes + (log?.frames.length ?? 0) * frameBytes;
    for (let flips = 1 + random(10); flips > 0; flips--) {
      const offset = random(inLog);
      flipBit(image.files.log, offset, random(8));
      const frame = log?.frames[Math.floor((offset - logHeaderBytes) / frameBytes)];
      if (frame !== undefined && newest.get(frame.page) === frame) hurt.add(frame.page);
      const place = random(inDatabase);
      flipBit(image.files.database, place, random(8));
      if (!newest.has(Math.floor(place / pageBytes) + 1)) hurt.add(Math.floor(place / pageBytes) + 1);
    }
    await checkSalvage(round, pagesOf.killed, hurt, `seed ${seed}`);
  });
});

describe('salvageStore() says that there may have been more, and why', () => {
  const cutLog = ({ files }: StoreImage) => {
    const [, , end] = (readLog(files.log)?.frames ?? []).filter(({ commitPages }) => commitPages > 0);
    truncateSync(files.log, logHeaderBytes + (end?.number ?? 0) * frameBytes);
  };
  const loseLog = ({ files }: StoreImage) => rmSync(files.log);
  const loseSums = ({ files }: StoreImage) => rmSync(files.sums);
  const loseNote = ({ files }: StoreImage) => rmSync(files.note);
  const damageSums = ({ files }: StoreImage) => flipBit(files.sums, 3, 0);
  const cutDatabase = ({ files }: StoreImage) => truncateSync(files.database, 20 * pageBytes);

  test.each([
    ['the log was cut at a commit', [cutLog], [/-wal is as it was written up to frame \d+ only, of/]],
    ['the log is gone', [loseLog], [/-wal is missing, and with it mail/]],
    [
      'nothing says how long the log was',
      [loseSums, loseNote],
      [/whether the log is whole: .*-note is missing/],
    ],
    ['of the sums nothing is needed', [loseSums], []],
    [
      'the sums are damaged and the log was cut',
      [damageSums, cutLog],
      [/is as it was written up to frame \d+ only/],
    ],
    ['the database was cut', [cutDatabase], [/posthorn\.db ends after page 20/]],
  ])('%s', async (note, damages, reasons) => {
    const { image, to } = await damaged(killed, 5000 + note.length);
    for (const damage of damages) damage(image);
    const { mayLackMore } = await salvageStore(image.dataDir, to);
    expect(mayLackMore).toEqual(reasons.map((reason) => expect.stringMatching(reason)));
  });
});
