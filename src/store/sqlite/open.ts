/**
 * Opens the embedded engine: makes the data directory, starts the store thread, and brings what an earlier run left
 * behind into order (claims become doubtful, orphans leave the spool). The layout:
 * `store/posthorn.db` (SQLite), `spool/` (large bodies), `accounts/` (Maildirs).
 */

import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { type Clock, systemClock } from '../../util/clock.ts';
import { createDirectory } from '../directory-sync.ts';
import { errorCode, isDiskFull, noRoom, StoreOpenError } from '../errors.ts';
import { sweepSpool } from '../spool.ts';
import { findSpoolDamage } from '../spool-damage.ts';
import type { Store } from '../store.ts';
import { createClient } from './client.ts';
import { linkTo } from './link.ts';
import type { Evidence } from './pages/examine.ts';
import type { Report } from './protocol.ts';
import type { StoreThreadData } from './worker.ts';

export interface StoreLog {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
}

export interface OpenOptions {
  /** Absolute path; created where it is missing, private to this user. */
  dataDir: string;
  clock?: Clock;
  log?: StoreLog;
}

const silent: StoreLog = { info() {}, warn() {} };

/** Rejects with StoreOpenError where the directory is in use, not writable, damaged or of another version. */
export async function openStore({ dataDir, clock = systemClock, log = silent }: OpenOptions): Promise<Store> {
  await createLayout(dataDir);
  const worker = startThread({ dataDir });
  const { spooled, inDoubt, evidence } = await opened(worker);
  const link = linkTo(worker);
  const names = new Set(spooled.map(([name]) => name));
  const orphans = await sweepSpool(dataDir, names).catch(async (error: unknown) => {
    await link.close();
    throw error;
  });
  if (inDoubt + orphans > 0) log.info({ inDoubt, orphans }, 'recovered from an interrupted run');
  const told = words[evidence];
  if (told !== undefined) log[told.level]({}, told.text);
  for (const { file, what } of await findSpoolDamage(dataDir, spooled))
    log.warn({ file }, `a message cannot be delivered: this spool file ${what}`);
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
async function opened(worker: Worker): Promise<Extract<Report, { kind: 'opened' }>> {
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
