import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../../../testing/store.ts';
import { copyImage, flipBit, type StoreImage, storeImage } from '../../../testing/store-image.ts';
import { pageBytes } from '../pages/format.ts';
import { checkStore } from './check.ts';

let directory: TemporaryDirectory;
let stopped: StoreImage;
let killed: StoreImage;
beforeAll(async () => {
  directory = await temporaryDirectory();
  stopped = await storeImage(join(directory.path, 's'), 60, 'stopped');
  killed = await storeImage(join(directory.path, 'k'), 60, 'killed');
});
afterAll(() => directory[Symbol.asyncDispose]());

const scratch = (image: StoreImage, name: string) => copyImage(image, join(directory.path, name));

/** Changes rows as no Posthorn would, and takes the sums away, which would tell. */
function change({ files }: StoreImage, sql: string): void {
  const database = new Database(files.database);
  database.exec(sql);
  database.close();
  rmSync(files.sums);
}

test('checkStore() finds nothing in what a stop or a crash leaves, and changes nothing', async () => {
  for (const image of [stopped, killed]) {
    const before = await contentsOf(image);
    expect(await checkStore(image.dataDir)).toEqual([]);
    expect(await contentsOf(image)).toEqual(before);
  }
  expect(await checkStore(join(directory.path, 'nothing'))).toEqual([]);
});

async function contentsOf({ files }: StoreImage): Promise<Record<string, string>> {
  const names = await readdir(files.directory);
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(files.directory, name), 'base64')]));
}

test('checkStore() finds jobs without a message, messages without a job, and octets that have changed', async () => {
  const image = await scratch(stopped, 'tables');
  change(
    image,
    `DELETE FROM messages WHERE queue_id = 'Q00001'; DELETE FROM jobs WHERE queue_id = 'Q00004';
     UPDATE messages SET octets = CAST(replace(octets, 'Received', 'received') AS BLOB) WHERE queue_id = 'Q00006';
     UPDATE messages SET octets = substr(octets, 2) WHERE queue_id = 'Q00009';
     UPDATE aliases SET targets = '['; DELETE FROM destinations;`,
  );
  const found = await checkStore(image.dataDir);
  expect(found).toMatchObject(
    [
      {
        severity: 'warning',
        file: image.files.sums,
        what: /^is missing: of the pages, only broken structure/,
      },
      {
        severity: 'error',
        queueId: 'Q00001',
        what: /^is lost, but was to go to r0\.of\.Q00001@example\.net/,
      },
      { severity: 'error', queueId: 'Q00004', what: /has no recipient/ },
      {
        severity: 'error',
        table: 'destinations',
        what: /do not have example\.net, for which \d+ recipients wait/,
      },
      { severity: 'error', queueId: 'Q00006', what: /other octets in the database than were accepted/ },
      { severity: 'error', queueId: 'Q00009', what: /has \d+ octets in the database, of \d+/ },
      { severity: 'warning', table: 'aliases', what: /info@example\.com/ },
    ].map((finding) => ({ ...finding, what: expect.stringMatching(finding.what) })),
  );
});

test('checkStore() finds spool files that are missing, cut, changed, or of no message', async () => {
  const image = await scratch(stopped, 'spool');
  const spool = (name: string) => join(image.dataDir, 'spool', name);
  flipBit(spool('Q00007'), 5000, 0);
  truncateSync(spool('Q00057'), 99_999);
  writeFileSync(spool('Q99999'), 'orphan');
  expect(await checkStore(image.dataDir)).toEqual([
    {
      severity: 'error',
      queueId: 'Q00007',
      file: spool('Q00007'),
      what: expect.stringMatching(/not those that were accepted/),
    },
    {
      severity: 'error',
      queueId: 'Q00057',
      file: spool('Q00057'),
      what: expect.stringMatching(/has 99999 octets of 100000/),
    },
    { severity: 'warning', file: spool('Q99999'), what: expect.stringMatching(/belongs to no message/) },
  ]);
  rmSync(spool('Q00007'));
  expect(await checkStore(image.dataDir)).toMatchObject([
    { queueId: 'Q00007', what: expect.stringMatching(/ENOENT/) },
    {},
    {},
  ]);
});

test('checkStore() finds mail in a Maildir that is not as long as its name says', async () => {
  const image = await scratch(stopped, 'maildir');
  const folder = join(image.dataDir, 'accounts', 'user1@example.com', 'Maildir', '.Junk', 'cur');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, '1.Q1_0.mx,S=4,W=5:2,S'), 'cut');
  await writeFile(join(folder, '1.Q2_0.mx,S=5,W=6:2,S'), 'whole');
  await writeFile(join(folder, 'of another program'), '');
  expect(await checkStore(image.dataDir)).toMatchObject([
    { severity: 'error', file: join(folder, '1.Q1_0.mx,S=4,W=5:2,S'), what: 'has 3 octets of 4' },
  ]);
});

test('checkStore() names changed pages, and what SQLite finds wrong with them', async () => {
  const image = await scratch(stopped, 'pages');
  const octets = readFileSync(image.files.database);
  const page = octets.length / pageBytes - 2;
  octets.fill(0xff, (page - 1) * pageBytes, page * pageBytes);
  writeFileSync(image.files.database, octets);
  const [first, ...others] = await checkStore(image.dataDir);
  expect(first).toMatchObject({ page, table: expect.any(String), what: 'is not as it was written' });
  expect(others).toContainEqual(
    expect.objectContaining({ what: expect.stringMatching(/^Tree \d+ page \d+/) }),
  );
});

test('checkStore() reports what is no database at all', async () => {
  const image = await scratch(stopped, 'none');
  writeFileSync(image.files.database, 'not a database'.repeat(10_000));
  expect(await checkStore(image.dataDir)).toContainEqual(
    expect.objectContaining({ what: expect.stringMatching(/file is not a database/) }),
  );
});
