/**
 * Opens the embedded engine: makes the data directory, starts the store thread, and brings what an earlier run left
 * behind into order (claims become doubtful, orphans leave the spool). The layout:
 * `store/posthorn.db` (SQLite), `spool/` (large bodies), `accounts/` (Maildirs), `has-store` (remains.ts).
 */

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { access, constants, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { type Clock, systemClock } from '../../util/clock.ts';
import { ownVersion } from '../../util/own-version.ts';
import { createDirectory } from '../directory-sync.ts';
import { errorCode, isDiskFull, noRoom, StoreOpenError } from '../errors.ts';
import { namesIn } from '../names-in.ts';
import { findSpoolDamage } from '../spool-damage.ts';
import { orphansDirectory, sweepSpool } from '../spool-sweep.ts';
import type { Store } from '../store.ts';
import { writerPath } from './before-upgrade.ts';
import { createClient } from './client.ts';
import { linkTo } from './link.ts';
import type { Evidence } from './pages/examine.ts';
import { ownedLikeDirectory } from './pages/ownership.ts';
import type { Report } from './protocol.ts';
import { markStore, refuseRemains, refuseUnfinished } from './remains.ts';
import { schemaVersion } from './schema.ts';
import { storeFiles } from './store-files.ts';
import type { StoreThreadData } from './worker.ts';

export interface StoreLog {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
}

export interface OpenOptions {
  /** Absolute path; created where it is missing, private to this user. */
  dataDir: string;
  /** A store that was there once and is missing may be made anew. */
  afresh?: boolean;
  clock?: Clock;
  log?: StoreLog;
}

type OpenedReport = Extract<Report, { kind: 'opened' }>;

const silent: StoreLog = { info() {}, warn() {} };

/** Rejects with StoreOpenError where the directory is in use, not writable, damaged or of another version. */
export async function openStore({
  dataDir,
  afresh = false,
  clock = systemClock,
  log = silent,
}: OpenOptions): Promise<Store> {
  refuseUnfinished(dataDir);
  // Before a folder is made in the place where the lost one should be put back.
  if (!existsSync(storeFiles(dataDir).directory)) refuseRemains(dataDir, afresh);
  await createLayout(dataDir);
  const worker = startThread({ dataDir, afresh });
  const report = await opened(worker);
  const link = linkTo(worker);
  try {
    await recover(dataDir, report, log);
  } catch (error) {
    await link.close();
    throw error;
  }
  return createClient({
    link,
    dataDir,
    clock,
    warn: (text) => log.warn({}, text),
  });
}

/** What is worth a word about the examination of the files. */
const words: Record<Evidence, { level: 'info' | 'warn'; text: string } | undefined> = {
  sums: undefined,
  new: undefined,
  'copied-back': {
    level: 'info',
    text: 'the store was not closed, and SQLite has copied its log back: the whole database was checked',
  },
  note: {
    level: 'warn',
    text: 'there were no sums of the pages: the whole database was checked for broken structure, not for changed content',
  },
  none: {
    level: 'warn',
    text:
      'there were no sums of the pages, and no note of how long the write-ahead log was: the whole database was checked for ' +
      'broken structure, but if the end of the log was lost, then so is mail that was accepted last, without a trace',
  },
};

/** Brings into order what an earlier run has left, and tells of it. Rejects with the system's error. */
async function recover(
  dataDir: string,
  { spooled, inDoubt, evidence, upgraded }: OpenedReport,
  log: StoreLog,
): Promise<void> {
  const told = words[evidence];
  if (told !== undefined) log[told.level]({}, told.text);
  if (upgraded !== undefined)
    log.info(
      upgraded,
      'the store was brought to the present version of its schema. What it was before is kept: to go back, stop the server, move ' +
        'store/ away and what was kept in its place, and run the version of before; mail that came in since is in what was moved away',
    );
  if (evidence === 'new' && (await namesIn(join(dataDir, 'accounts'))).length > 0)
    log.warn({}, 'a new store was made beside mailboxes that were there: their accounts have to be added');
  const damage = await findSpoolDamage(dataDir, spooled);
  for (const { file, what } of damage)
    log.warn({ file }, `a message cannot be delivered: this spool file ${what}`);
  const isDoubtful = evidence === 'note' || evidence === 'none' || damage.length > 0;
  const named = new Set(spooled.map(([name]) => name));
  const { removed, setAside } = await sweepSpool({ dataDir, named, isDoubtful });
  if (inDoubt + removed > 0) log.info({ inDoubt, orphans: removed }, 'recovered from an interrupted run');
  if (setAside > 0)
    log.warn(
      { files: setAside, directory: orphansDirectory(dataDir) },
      'spool files of no known message were set aside, since messages may be missing: look at them, then remove them',
    );
  await markStore(dataDir);
  await noteWriter(dataDir);
}

/** For a version that comes after, or was before, and its package: which one has used the store last, and what it has made of it. */
async function noteWriter(dataDir: string): Promise<void> {
  const path = writerPath(storeFiles(dataDir));
  const note = `Posthorn ${await ownVersion()}\nschema ${schemaVersion}\n`;
  try {
    if (existsSync(path) && (await readFile(path, 'utf8')) === note) return;
    await writeFile(path, note, { mode: 0o600 });
    ownedLikeDirectory(path);
  } catch (error) {
    // The next start tries again.
    if (!isDiskFull(error)) throw error;
  }
}

async function createLayout(dataDir: string): Promise<void> {
  try {
    for (const part of ['store', 'spool', 'accounts']) {
      await createDirectory(join(dataDir, part));
      await access(join(dataDir, part), constants.R_OK | constants.W_OK | constants.X_OK);
    }
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    if (isDiskFull(error)) throw noRoom(dataDir, error);
    throw new StoreOpenError(
      'not-writable',
      `data directory ${dataDir} cannot be used (${code}): make it a directory that this user can write to`,
      { cause: error },
    );
  }
}

/** Source files run by type stripping and built ones differ in their extension only. */
function startThread(workerData: StoreThreadData): Worker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  // What comes over to the store thread is used up at once: 1 MiB for new objects is enough, and memory for nothing else.
  setFlagsFromString('--max-semi-space-size=1');
  return new Worker(new URL(`./worker.${extension}`, import.meta.url), { workerData, name: 'store' });
}

/** The first word of the thread. Where it could not open the database, its thread is gone when this rejects. */
async function opened(worker: Worker): Promise<OpenedReport> {
  // Asked for now: the thread may be gone as soon as its word is here.
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  // once() rejects where an error comes first. Only Reports come from there.
  const [report]: Report[] = await once(worker, 'message');
  if (report === undefined) throw new Error('The store thread said nothing');
  if (report.kind === 'opened') return report;
  if (report.kind !== 'unopened') throw new Error(`The store thread began with "${report.kind}"`);
  await ended;
  throw new StoreOpenError(report.failure.kind, report.failure.message);
}
