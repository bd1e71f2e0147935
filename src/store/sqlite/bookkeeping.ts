/**
 * Keeps true, while the database is open, what stands beside it: with each commit the note of how long the log is
 * (log-watch.ts), with each checkpoint the sums of what was copied (pages/sums.ts), before the next commit can begin the
 * log anew.
 */

import { closeSync, fdatasyncSync, openSync, readSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { errorCode, isDiskFull } from '../errors.ts';
import { guardPlace } from './in-place.ts';
import { watchLog } from './log-watch.ts';
import { pageComparer, pagesAtOnce, pagesWithSums } from './pages/compare.ts';
import { describeDamage } from './pages/damage.ts';
import { lockedPage, pageBytes } from './pages/format.ts';
import { frameBytes, logHeaderBytes } from './pages/log.ts';
import { NoteFile } from './pages/note.ts';
import { createSums, SumsFile, sumOfOctets } from './pages/sums.ts';
import type { StoreFiles } from './store-files.ts';

export interface Bookkeeping {
  /**
   * To be called after each commit. Returns when everything in the log is on disk, where the next start will look for it,
   * and noted. Throws the system's error, and SQLite's code where the log's path does not lead to it any more.
   */
  syncLog(): void;
  /** Pages in the log that are not yet in the database. */
  readonly logPages: number;
  /**
   * Copies the log back into the database; not while the disk is full: then the log simply stays. Throws where a file
   * cannot be written or synced: the log is whole then, but nothing more may be promised.
   */
  checkpoint(): void;
  /** After a checkpoint: all that was in the log is in the database too. */
  readonly isEven: boolean;
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
  const note = new NoteFile(files.note);
  const file = sums ?? newSums(files, databaseFile, () => copyBack.get() && pageCount.get());
  const log = watchLog(database, logFile, note);
  const guard = { log: guardPlace(files.log, logFile), database: guardPlace(files.database, databaseFile) };
  /** All that the log has is in the database too. */
  let isEven = false;

  /** True where all of the log came into the database, with its sums. */
  function copyAll(): boolean {
    const pages = pageCount.get() ?? 0;
    if (!hasRoom(() => file.reserve(pages))) return false;
    let state: LogState | undefined;
    if (!hasRoom(() => (state = copyBack.get()))) return false;
    const [, frames = 0, copied = 0] = state ?? [];
    if (copied !== frames) return false;
    if (frames > 0) file.update(sumsInLog(logFile, frames), pages);
    return true;
  }

  function checkpoint(): void {
    guard.database();
    isEven = false;
    log.copying();
    try {
      isEven = copyAll();
    } finally {
      log.copied(isEven);
    }
  }

  // What the opening wrote, SQLite has synced.
  log.written();
  log.synced();
  checkpoint();
  return {
    syncLog() {
      log.written();
      fdatasyncSync(logFile);
      guard.log();
      log.synced();
    },
    get logPages() {
      return log.frames;
    },
    checkpoint,
    get isEven() {
      return isEven;
    },
    finish() {
      checkpoint();
      if (!isEven) return;
      note.rest();
      file.rest();
    },
    compareMore: compareInSteps(
      { file: databaseFile, sums: file, path: files.database },
      unexaminedFrom,
      () => isEven,
    ),
    close() {
      file.close();
      note.close();
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
  return new SumsFile(files.sums, { bytes });
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
