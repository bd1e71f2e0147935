/**
 * The tables of the embedded engine, and opening the file that holds them. One process owns it at a time
 * (`locking_mode=EXCLUSIVE`). What the opening commits, SQLite syncs (`synchronous=FULL`; the default in WAL mode does not);
 * the store's own transactions are synced by transaction.ts.
 */

import Database from 'better-sqlite3';
import { isDiskFull, noRoom, StoreOpenError } from '../errors.ts';
import { describeOwner } from './lock-owner.ts';
import { pageBytes } from './pages/format.ts';
import { ownedLikeDirectory } from './pages/ownership.ts';

/** Stored in `PRAGMA user_version`; raised with every change to the tables. */
export const schemaVersion = 8;

/** Page cache, KiB: the inner pages of the trees and what is being written. The rest is the system's to cache. */
const cacheKib = 4 * 1024;
/** The write-ahead log is cut back to this after a checkpoint, octets. */
const logBytesKept = 64 * 1024 * 1024;

// Every start asks for them, be there a million other messages.
const spooledIndex = 'CREATE INDEX messages_spooled ON messages (spool) WHERE spool IS NOT NULL;';

// A message's row goes with its last job. `octets` is the prefix (`prefix_bytes` long), then the content unless it is
// spooled. The sums (CRC-32) are NULL for what was accepted before there were any.
const messages = `
  CREATE TABLE messages (
    queue_id TEXT PRIMARY KEY,
    accepted_at INTEGER NOT NULL,
    reverse_path TEXT NOT NULL,
    submitter TEXT,
    message_id TEXT,
    size_bytes INTEGER NOT NULL,
    eight_bit INTEGER NOT NULL,
    smtputf8 INTEGER NOT NULL,
    failures_to TEXT NOT NULL,
    spool TEXT,
    prefix_bytes INTEGER NOT NULL,
    octets BLOB NOT NULL,
    octets_sum INTEGER,
    spool_sum INTEGER,
    requests TEXT,
    traceparent TEXT
  ) STRICT;
  ${spooledIndex}`;

// The indexes are partial: a job that is claimed from its insertion to its end (nearly all) never touches the first
// four, which are for the deferred ones, be they a million.
const jobIndexes = `
  CREATE INDEX IF NOT EXISTS jobs_due ON jobs (destination, next_attempt_at) WHERE claimed_until IS NULL;
  CREATE INDEX IF NOT EXISTS jobs_to_destination ON jobs (destination) WHERE claimed_until IS NULL;
  CREATE INDEX IF NOT EXISTS jobs_to_recipient ON jobs (recipient) WHERE claimed_until IS NULL;
  CREATE INDEX IF NOT EXISTS jobs_expiring ON jobs (expires_at) WHERE claimed_until IS NULL;
  CREATE INDEX IF NOT EXISTS jobs_claimed ON jobs (claimed_until) WHERE claimed_until IS NOT NULL;`;

const jobs = `
  CREATE TABLE jobs (
    queue_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    recipient TEXT NOT NULL COLLATE NOCASE,
    original_recipient TEXT,
    kind TEXT NOT NULL,
    destination TEXT NOT NULL COLLATE NOCASE,
    folder TEXT,
    attempts INTEGER NOT NULL,
    queued_at INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    last_error TEXT,
    in_doubt INTEGER NOT NULL,
    claimed_until INTEGER,
    requests TEXT,
    memo TEXT,
    verdict TEXT,
    PRIMARY KEY (queue_id, number)
  ) STRICT, WITHOUT ROWID;
  ${jobIndexes}`;

// What is claimed is found by its destination's row (destinations.ts).
const destinations = `
  CREATE TABLE IF NOT EXISTS destinations (
    destination TEXT PRIMARY KEY COLLATE NOCASE,
    due_at INTEGER NOT NULL,
    share INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS destinations_due ON destinations (due_at);`;

// A log: what happened to one message at one time is one entry, `data` a JSON array of tuples. An entry's id is the
// log's length in octets up to its end, so that the size of any stretch is a subtraction. The keys by which dossiers are
// found lie in groups (`bucket`), one per MiB of log: an insertion touches the newest group's few pages only, however
// long the log, and a search walks the groups from the newest to the oldest.
const events = `
  CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    queue_id TEXT NOT NULL,
    last_at INTEGER NOT NULL,
    data TEXT NOT NULL
  ) STRICT;
  CREATE INDEX events_of_message ON events (queue_id);
  CREATE TABLE event_keys (
    bucket INTEGER NOT NULL,
    key TEXT NOT NULL,
    entry INTEGER NOT NULL,
    PRIMARY KEY (bucket, key, entry)
  ) STRICT, WITHOUT ROWID;`;

// The keys of the newest stretch of the log, `keys` a JSON array, on their way into the groups (recent-keys.ts).
const recentKeys = `
  CREATE TABLE recent_keys (
    entry INTEGER PRIMARY KEY,
    keys TEXT NOT NULL,
    sent_id TEXT
  ) STRICT;`;

// The Message-IDs of what was sent from here, for the question that every report from outside asks. In groups like the
// keys, but of 16 MiB of log: a look-up of one that is unknown goes through all groups, in well under a millisecond.
const sentIds = `
  CREATE TABLE sent_ids (
    bucket INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    PRIMARY KEY (bucket, message_id)
  ) STRICT, WITHOUT ROWID;`;

const accounts = `
  CREATE TABLE accounts (
    id INTEGER PRIMARY KEY,
    address TEXT NOT NULL UNIQUE,
    domain TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    settings TEXT,
    scram_keys TEXT
  ) STRICT;
  CREATE INDEX accounts_of_domain ON accounts (domain, created_at);
  CREATE TABLE aliases (
    address TEXT PRIMARY KEY,
    targets TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;`;

// What is kept of the world outside, and of operators' decisions (memos.ts).
const memos = `
  CREATE TABLE memos (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (kind, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX memos_expiring ON memos (expires_at) WHERE expires_at IS NOT NULL;`;

// What others report of us (reports.ts): mail that is still to be read, reports, and what a DMARC report says row by row.
const reports = `
  CREATE TABLE report_mail (
    queue_id TEXT PRIMARY KEY,
    received_at INTEGER NOT NULL,
    facts TEXT NOT NULL,
    octets BLOB NOT NULL
  ) STRICT;
  CREATE TABLE reports (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    queue_id TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    sender TEXT NOT NULL,
    organization TEXT NOT NULL,
    report_id TEXT NOT NULL,
    domain TEXT NOT NULL,
    begins_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    data TEXT NOT NULL,
    UNIQUE (kind, domain, organization, report_id, sender)
  ) STRICT;
  CREATE TABLE report_rows (
    report INTEGER NOT NULL,
    number INTEGER NOT NULL,
    source TEXT NOT NULL,
    header_from TEXT NOT NULL,
    disposition TEXT NOT NULL,
    dkim_aligned INTEGER NOT NULL,
    spf_aligned INTEGER NOT NULL,
    count INTEGER NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (report, number)
  ) STRICT, WITHOUT ROWID;`;

/** What leads from the version before to the one it stands for. */
const migrations: Record<number, string> = {
  2: `ALTER TABLE messages ADD COLUMN octets_sum INTEGER;
      ALTER TABLE messages ADD COLUMN spool_sum INTEGER;
      ${spooledIndex}`,
  3: `DROP INDEX IF EXISTS jobs_due;
      ${jobIndexes}
      ${destinations}
      INSERT OR IGNORE INTO destinations
        SELECT destination, min(next_attempt_at), 1 FROM jobs WHERE claimed_until IS NULL GROUP BY destination;`,
  4: recentKeys,
  // Behind the columns that were there: salvage knows rows by their order.
  5: `ALTER TABLE messages ADD COLUMN requests TEXT;
      ALTER TABLE jobs ADD COLUMN requests TEXT;
      ALTER TABLE jobs ADD COLUMN memo TEXT;
      ${memos}`,
  6: `ALTER TABLE jobs ADD COLUMN verdict TEXT;
      ALTER TABLE accounts ADD COLUMN settings TEXT;
      ALTER TABLE accounts ADD COLUMN scram_keys TEXT`,
  7: reports,
  8: 'ALTER TABLE messages ADD COLUMN traceparent TEXT',
};

/**
 * Opens or creates the database at `path` and locks it. `inspect` sees it before anything is written to it. Throws
 * StoreOpenError; `dataDir` is for its message.
 */
export function openDatabase(
  path: string,
  dataDir: string,
  inspect?: (database: Database.Database) => void,
): Database.Database {
  let database: Database.Database | undefined;
  try {
    database = new Database(path, { timeout: 0 });
    configure(database);
    ownedLikeDirectory(path);
    inspect?.(database);
    prepareSchema(database, dataDir);
    return database;
  } catch (error) {
    database?.close();
    throw openError(error, dataDir);
  }
}

function configure(database: Database.Database): void {
  // Before the file is looked at: else the log's index lies in memory shared through a file (-shm), not in our own.
  database.pragma('locking_mode = EXCLUSIVE');
  // Before anything is written: copying the log back is for upkeep.ts alone. SQLite's own way would run before a commit
  // is answered, swallow errors, and keep no sums (bookkeeping.ts).
  database.pragma('wal_autocheckpoint = 0');
  database.pragma('synchronous = FULL'); // until transaction.ts takes over the syncing of commits, and sets NORMAL
  // These two only matter before the first table is created; vacuuming by steps needs the latter. Of a database that is there,
  // SQLite would write the first page anew, and whoever then fails to open the store would leave it other than its sums say.
  if (database.pragma('page_count', { simple: true }) === 0) {
    database.pragma(`page_size = ${pageBytes}`);
    database.pragma('auto_vacuum = INCREMENTAL');
  }
  database.pragma('journal_mode = WAL');
  database.pragma(`cache_size = ${-cacheKib}`);
  database.pragma(`journal_size_limit = ${logBytesKept}`);
  database.pragma('temp_store = MEMORY');
}

function prepareSchema(database: Database.Database, dataDir: string): void {
  const version = Number(database.pragma('user_version', { simple: true }));
  if (version === schemaVersion) return;
  const tables = Number(database.prepare('SELECT count(*) FROM sqlite_master').pluck().get());
  if (version > schemaVersion || (version === 0 && tables > 0)) {
    throw new StoreOpenError(
      'version',
      `data directory ${dataDir} has schema version ${version}, but this Posthorn knows versions up to ${schemaVersion} only: ` +
        'run the version of Posthorn that wrote it, or a newer one',
    );
  }
  database.transaction(() => {
    if (version === 0)
      database.exec(
        messages + jobs + destinations + events + recentKeys + sentIds + accounts + memos + reports,
      );
    else for (let next = version + 1; next <= schemaVersion; next++) database.exec(migrations[next] ?? '');
    database.pragma(`user_version = ${schemaVersion}`);
  })();
}

/** The end of each refusal over damage. */
export const whatToDo =
  'Posthorn does not run over it. To see all that is wrong: posthorn store check. ' +
  'To bring out what can be read: posthorn store salvage --to DIRECTORY';

/** Says in words what SQLite's code means for whoever starts the server; other errors stay what they are. */
export function openError(error: unknown, dataDir: string): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const say = (kind: StoreOpenError['kind'], text: string) =>
    new StoreOpenError(kind, `data directory ${dataDir} ${text}`, { cause: error });
  if (error.code.startsWith('SQLITE_BUSY')) {
    return say(
      'in-use',
      `is in use by another Posthorn process${describeOwner(dataDir)}: stop that one first, or choose another dataDir`,
    );
  }
  if (/^SQLITE_(NOTADB|CORRUPT)/.test(error.code)) {
    return say('damaged', `holds a damaged database (${error.message}). ${whatToDo}`);
  }
  if (isDiskFull(error)) return noRoom(dataDir, error);
  return say(
    'not-writable',
    `cannot be used (${error.message}): make it writable for this user and see that its disk is not full`,
  );
}
