/** Files of our own that a disk or somebody's hand has changed: pages of the store, envelopes beside salvaged mail, lists of sums, the maildrop. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { formatSum, parseSum } from '../../src/backup/sums.ts';
import { readDropped } from '../../src/store/maildrop.ts';
import { cellCount, childrenOf, readCell, wholeRecord } from '../../src/store/sqlite/pages/cells.ts';
import { pageBytes, placeInMap, readFileHeader, readUse } from '../../src/store/sqlite/pages/format.ts';
import { readRecord } from '../../src/store/sqlite/pages/record.ts';
import { readEnvelope } from '../../src/store/sqlite/salvage/envelope.ts';
import { jobOf, messageOf, recognise } from '../../src/store/sqlite/salvage/rows.ts';
import { octetsOf } from '../corpus.ts';
import { between, demand, demandSame, type Target } from './target.ts';

/** What `use` makes of a directory that is there only for it. */
async function inScratch<T>(use: (directory: string) => T | Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-fuzz-'));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The pages of a small database of ours. */
function pages(): Buffer[] {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-fuzz-'));
  const path = join(directory, 'db');
  try {
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA auto_vacuum = FULL; CREATE TABLE aliases (name TEXT PRIMARY KEY, targets TEXT) WITHOUT ROWID;
      CREATE TABLE events (id INTEGER PRIMARY KEY, queue_id TEXT, at INTEGER, data BLOB)`);
    database.exec('BEGIN');
    for (let number = 0; number < 200; number++) {
      database
        .prepare('INSERT INTO aliases VALUES (?, ?)')
        .run(`a${number}@example.org`, '["b@example.org"]');
      database
        .prepare('INSERT INTO events VALUES (NULL, ?, ?, ?)')
        .run('Q1', number, Buffer.alloc(number * 60));
    }
    database.exec('COMMIT');
    database.close();
    const file = readFileSync(path);
    return Array.from({ length: file.length / pageBytes }, (_, at) =>
      file.subarray(at * pageBytes, (at + 1) * pageBytes),
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Each row of the page, however it was changed; a row goes on in the page itself. */
function readPage(input: Buffer): void {
  const page = Buffer.alloc(pageBytes);
  input.copy(page);
  readFileHeader(page);
  for (const number of [1, 2]) {
    for (let cell = 0; cell < Math.min(100, cellCount(page, number)); cell++) {
      const found = readCell(page, number, cell);
      if (found === undefined) continue;
      demand(found.octets.length <= pageBytes, 'a row longer than its page');
      readRow(
        wholeRecord(
          {
            ...found,
            ...(found.rest && {
              rest: { ...found.rest, totalBytes: Math.min(40_000, found.rest.totalBytes) },
            }),
          },
          (next) => (next % 7 === 0 ? undefined : page),
        ),
      );
    }
    demand(childrenOf(page, number).length <= pageBytes / 2, 'more pages below than there is room for');
  }
  for (const at of [3, 100, 1700]) readUse(page, placeInMap(at)?.offset ?? 0);
}

function readRow(payload: Buffer): void {
  const record = readRecord(payload);
  if (record === undefined) return;
  demand(record.values.length <= record.columns, 'more values than columns');
  for (const home of ['table', 'index'] as const) recognise(home, record);
  messageOf(record);
  jobOf(record);
}

const storePages: Target = {
  name: 'store-pages',
  seeds: pages,
  read: readPage,
  longestRunBytes: pageBytes,
};

const envelope = {
  queueId: 'Q1',
  doubts: ['x'],
  message: {
    acceptedAt: 1,
    reversePath: 'a@example.org',
    eightBit: false,
    smtputf8: false,
    failuresTo: 'sender',
    prefixBytes: 0,
    sizeBytes: 3,
  },
  octetsSum: 7,
  recipients: [
    {
      number: 0,
      recipient: 'b@example.org',
      kind: 'local',
      destination: 'b@example.org',
      attempts: 0,
      queuedAt: 1,
      nextAttemptAt: 1,
      expiresAt: 2,
      requests: { notify: ['never'] },
    },
  ],
};

const salvaged: Target = {
  name: 'salvaged-envelope',
  seeds: () => octetsOf([JSON.stringify(envelope)]),
  read(input) {
    try {
      const { queueId } = readEnvelope(input.toString('utf8'));
      demand(/^[\w-]+$/.test(queueId), 'a queue id that is no file name');
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    }
  },
  places: [between('{"queueId":"', '"}'), between('{"queueId":"Q","doubts":[],"recipients":[', ']}')],
};

const sum = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const sums: Target = {
  name: 'backup-sums',
  seeds: () =>
    octetsOf([
      formatSum({ sum, path: 'data/store/posthorn.db' }).trimEnd(),
      formatSum({ sum, path: 'a\\b\nc' }).trimEnd(),
    ]),
  read: (input) => parseSum(input.toString('utf8')),
  check(input) {
    const text = input.toString('utf8');
    const read = parseSum(text);
    if (read?.path.isWellFormed())
      demandSame('a line that is written', read, parseSum(formatSum(read).slice(0, -1)));
    if (text !== '')
      demandSame(
        'a path that is written',
        { sum, path: text },
        parseSum(formatSum({ sum, path: text }).slice(0, -1)),
      );
  },
  places: [between(`${sum}  `), between(`\\${sum}  \\`)],
};

const maxBytes = 10_000;
const name = 'new-abc.1.00';

const maildrop: Target = {
  name: 'maildrop-file',
  seeds: () =>
    octetsOf([
      '{"posthorn":1,"recipients":["ann"],"from":"root"}\nSubject: x\n\nhi\n',
      '{"posthorn":1,"recipients":[]}\n',
      '{"posthorn":2}\n',
    ]),
  read: (input) =>
    inScratch(async (directory) => {
      writeFileSync(join(directory, name), input);
      const dropped = await readDropped(directory, name, maxBytes);
      demand(dropped !== undefined, 'a file that is there is gone');
      if ('wrong' in dropped) return;
      demand(
        dropped.envelope.recipients.every((each) => typeof each === 'string'),
        'a recipient that is no text',
      );
      demand(
        input.subarray(-dropped.content.length).equals(dropped.content) || dropped.content.length === 0,
        'a message that was not handed in',
      );
    }),
  longestRunBytes: 2 ** 16,
};

export const kept: readonly Target[] = [storePages, salvaged, sums, maildrop];
