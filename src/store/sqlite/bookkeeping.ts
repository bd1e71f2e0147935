/**
 * Keeps the sums of the pages (pages/sums.ts) true while the database is open: after each commit it notes how long the
 * log is, with each checkpoint it writes the sums of what was copied, before the next commit can begin the log anew.
 */

import { closeSync, fdatasyncSync, openSync, readSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { errorCode, isDiskFull } from '../errors.ts';
import { pageComparer, pagesAtOnce, pagesWithSums } from './pages/compare.ts';
import { describeDamage } from './pages/damage.ts';
import { lockedPage, pageBytes } from './pages/format.ts';
import { frameBytes, logHeaderBytes, saltsOf } from './pages/log.ts';
import { createSums, type LogMark, SumsFile, sumOfOctets } from './pages/sums.ts';
import type { StoreFiles } from './store-files.ts';

export interface Bookkeeping {
  /** Returns when everything in the log is on disk. Throws the system's error. */
  syncLog(): void;
  /** To be called after each commit. Returns how many pages are in the log. */
  committed(): number;
  /**
   * Copies the log back into the database; not while the disk is full: then the log simply stays. Throws where a file
   * cannot be written or synced: the log is whole then, but nothing more may be promised.
   */
  checkpoint(): void;
  /**
   * Compares some of the pages that were left out when the store was opened; false when there are no more. Throws, with
   * SQLite's code for damage, where one is not as it was written.
   */
  compareMore(): boolean;
  /** A last checkpoint. Nothing may be written after it. Throws as `checkpoint` does. */
  finish(): void;
  /** Only after the database is closed: to close any of its files gives up its locks. */
  close(): void;
}

/** Frames of the log that are read at once. */
const framesAtOnce = 128;

type LogState = [busy: number, frames: number, copied: number];

/** SQLite's word for it, so that it is treated as what SQLite itself finds damaged. */
class ChangedPageError extends Error {
  readonly code = 'SQLITE_CORRUPT';
}

export interface BooksState {
  /** Undefined where there are none: the database as it is gets new ones. Open since before SQLite opened the database. */
  sums: SumsFile | undefined;
  /** The first page that was not yet compared. */
  unexaminedFrom: number | undefined;
}

/** Begins with a checkpoint, so that the sums hold for every page. Throws the system's errors and SQLite's. */
export function keepBooks(
  database: Database,
  files: StoreFiles,
  { sums, unexaminedFrom }: BooksState,
): Bookkeeping {
  const copyBack = database.prepare<[], LogState>('PRAGMA wal_checkpoint(PASSIVE)').raw();
  const pageCount = database.prepare<[], number>('PRAGMA page_count').pluck();
  const databaseFile = openSync(files.database, 'r');
  const logFile = openSync(files.log, 'r');
  const file = sums ?? newSums(files, databaseFile, () => copyBack.get() && pageCount.get());
  const log = watchLog(database, logFile, file);
  /** All that the log has is in the database too. */
  let isEven = false;

  function checkpoint(): void {
    const pages = pageCount.get() ?? 0;
    if (!hasRoom(() => file.reserve(pages))) return;
    isEven = false;
    let state: LogState | undefined;
    if (!hasRoom(() => (state = copyBack.get()))) return;
    const [, frames = 0, copied = 0] = state ?? [];
    if (copied !== frames) return;
    if (frames > 0) file.update(sumsInLog(logFile, frames), pages);
    log.copied();
    isEven = true;
  }

  checkpoint();
  return {
    syncLog: () => fdatasyncSync(logFile),
    committed: log.committed,
    checkpoint,
    finish() {
      checkpoint();
      if (isEven) file.rest();
    },
    compareMore: compareInSteps(
      { file: databaseFile, sums: file, path: files.database },
      unexaminedFrom,
      () => isEven,
    ),
    close() {
      file.close();
      closeSync(databaseFile);
      closeSync(logFile);
    },
  };
}

/** False where the disk is full: nothing has changed then, and there may be room later. */
function hasRoom(write: () => unknown): boolean {
  try {
    write();
    return true;
  } catch (error) {
    if (isDiskFull(error) || errorCode(error) === 'SQLITE_FULL') return false;
    throw error;
  }
}

/** Sums of the database as it is, taken on trust; `copyBack` brings all into the file and says how many pages it has. */
function newSums(files: StoreFiles, databaseFile: number, copyBack: () => number | undefined): SumsFile {
  const pages = copyBack() ?? 0;
  const bytes = Buffer.alloc(pages * 4);
  for (let page = 1; page <= pages; page++) {
    if (page === lockedPage) continue;
    const octets = readAt(databaseFile, pageBytes, (page - 1) * pageBytes);
    bytes.writeUInt32LE(sumOfOctets(octets), (page - 1) * 4);
  }
  createSums(files.sums, bytes);
  return new SumsFile(files.sums, { bytes, mark: undefined });
}

interface LogWatch {
  committed(): number;
  /** All of the log is in the database. */
  copied(): void;
}

function watchLog(database: Database, logFile: number, file: SumsFile): LogWatch {
  const look = database.prepare<[], LogState>('PRAGMA wal_checkpoint(NOOP)').raw();
  const framesNow = () => look.get()?.[1] ?? 0;
  const saltsNow = () => saltsOf(readAt(logFile, logHeaderBytes, 0));
  let known: LogMark = { salts: saltsNow(), frames: framesNow() };
  /** The next commit may begin the log anew, with other salts: all that is known of it is in the database. */
  let mayBeginAnew = true;

  return {
    committed() {
      const frames = framesNow();
      const salts = mayBeginAnew ? saltsNow() : known.salts;
      if (frames === known.frames && salts[0] === known.salts[0]) return frames;
      known = { salts, frames };
      mayBeginAnew = false;
      hasRoom(() => file.mark(known));
      return frames;
    },
    copied() {
      known = { salts: saltsNow(), frames: framesNow() };
      mayBeginAnew = true;
    },
  };
}

/** The sum of each page as the log's newest frame of it has it. */
function sumsInLog(logFile: number, frames: number): Map<number, number> {
  const sums = new Map<number, number>();
  const chunk = Buffer.allocUnsafe(framesAtOnce * frameBytes);
  for (let end = frames; end > 0; end -= framesAtOnce) {
    const first = Math.max(0, end - framesAtOnce);
    readSync(logFile, chunk, 0, (end - first) * frameBytes, logHeaderBytes + first * frameBytes);
    for (let index = end - first - 1; index >= 0; index--) {
      const frame = chunk.subarray(index * frameBytes, (index + 1) * frameBytes);
      const page = frame.readUInt32BE(0);
      if (!sums.has(page)) sums.set(page, sumOfOctets(frame.subarray(frameBytes - pageBytes)));
    }
  }
  return sums;
}

function compareInSteps(
  { file, sums, path }: { file: number; sums: SumsFile; path: string },
  from: number | undefined,
  isEven: () => boolean,
): () => boolean {
  let next = from;
  let comparePages: ReturnType<typeof pageComparer> | undefined;
  return () => {
    if (next === undefined) return false;
    // What a checkpoint on a full disk has left half done is right again after the next one.
    if (!isEven()) return true;
    comparePages ??= pageComparer({ file, sums });
    const [changed] = comparePages(next);
    if (changed !== undefined) {
      sums.suspect(changed.page);
      const what = describeDamage({ page: changed.page, what: 'is not as it was written' });
      throw new ChangedPageError(`${path}: ${what}`);
    }
    next = next + pagesAtOnce > pagesWithSums(sums) ? undefined : next + pagesAtOnce;
    return next !== undefined;
  };
}

function readAt(file: number, length: number, position: number): Buffer {
  const octets = Buffer.alloc(length);
  readSync(file, octets, 0, length, position);
  return octets;
}
