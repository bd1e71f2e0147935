/**
 * Opens everything that the engine works with, in the order that keeps damage from spreading: the lock; the files as
 * they lie there; only then SQLite, which writes as soon as it closes what it has opened; and what an earlier run left.
 */

import { closeSync, existsSync, fdatasyncSync, openSync } from 'node:fs';
import type Database from 'better-sqlite3';
import { StoreOpenError } from '../errors.ts';
import { findKept, keepStore, storedVersion, writerOf } from './before-upgrade.ts';
import { type Bookkeeping, keepBooks } from './bookkeeping.ts';
import { voidClaims } from './claims.ts';
import { createDestinations } from './destinations.ts';
import { lockStore } from './lock.ts';
import { createEngine, type Engine } from './operations.ts';
import { type Damage, describeDamage } from './pages/damage.ts';
import { type Evidence, type Examination, examineFiles } from './pages/examine.ts';
import { NoteFile } from './pages/note.ts';
import { SumsFile } from './pages/sums.ts';
import type { Upgrade } from './protocol.ts';
import { refusal } from './refusal.ts';
import { refuseRemains } from './remains.ts';
import { openDatabase, schemaVersion, whatToDo } from './schema.ts';
import { type StoreFiles, storeFiles } from './store-files.ts';

/** Pages are compared with their sums for so long at the start; the rest while the server runs. */
const examinationMs = 1000;

/** So many changed pages are enough to refuse to start. */
const maxChanged = 100;

/** Of them, so many are named. */
const maxNamed = 3;

export interface OpenEngine {
  database: Database.Database;
  engine: Engine;
  books: Bookkeeping;
  /** Jobs that were claimed when the earlier run ended. */
  inDoubt: number;
  /** What the examination had to go by. Where there were no sums, SQLite has checked the database as a whole. */
  evidence: Evidence;
  /** It was of an earlier version of the schema, and lies as it was in `kept`, if it was to be kept. */
  upgraded?: Upgrade;
  /**
   * Lets go of the database, its files and the lock; after a last checkpoint, unless the store is lost. Throws what the
   * checkpoint does.
   */
  close(state: 'whole' | 'lost'): void;
}

export interface EngineOptions {
  /** Its `store/` is there. */
  dataDir: string;
  /** A store that was there once and is missing may be made anew. */
  afresh?: boolean;
  examinationMs?: number;
  /** False: there is a copy of a store of an earlier version already. */
  keepsEarlier?: boolean;
}

/** Throws StoreOpenError; other errors are bugs. */
export function openEngine(options: EngineOptions): OpenEngine {
  const { dataDir, afresh = false, examinationMs: budgetMs = examinationMs, keepsEarlier = true } = options;
  const files = storeFiles(dataDir);
  try {
    const lock = lockStore(files);
    try {
      const examination = examineFiles(files, { budgetMs, maxChanged });
      if (examination.evidence === 'new') refuseRemains(dataDir, afresh);
      const opened = openExamined(files, { dataDir, keepsEarlier }, examination);
      return { ...opened, close: (state) => closeAll(opened, state, lock.release) };
    } catch (error) {
      lock.release();
      throw error;
    }
  } catch (error) {
    throw refusal(error, dataDir);
  }
}

type Opened = Omit<OpenEngine, 'close'>;

function openExamined(
  files: StoreFiles,
  { dataDir, keepsEarlier }: Required<Pick<EngineOptions, 'dataDir' | 'keepsEarlier'>>,
  examination: Examination,
): Opened {
  const { damage, sums, unexaminedFrom, evidence } = examination;
  if (damage.length > 0) throw damagedStore(dataDir, damage);
  const upgraded = prepareUpgrade(files, dataDir, { log: examination.log, keepsEarlier });
  // Sums that are in use want a note beside them.
  if (evidence !== 'new') new NoteFile(files.note).close();
  const sumsFile = sums && new SumsFile(files.sums, sums);
  syncLeftovers(files.log);
  let database: Database.Database | undefined;
  try {
    database = openDatabase(
      files.database,
      dataDir,
      sums ? undefined : (opened) => checkWhole(opened, files, dataDir),
    );
    const inDoubt = voidClaims(database, createDestinations(database));
    const books = keepBooks(database, files, { sums: sumsFile, unexaminedFrom });
    return {
      database,
      engine: createEngine(database),
      books,
      inDoubt,
      evidence,
      ...(upgraded && { upgraded }),
    };
  } catch (error) {
    database?.close();
    sumsFile?.close();
    throw error;
  }
}

/** Before SQLite has written anything. Throws a StoreOpenError for a store of a later version. */
function prepareUpgrade(
  files: StoreFiles,
  dataDir: string,
  { log, keepsEarlier }: { log: Examination['log']; keepsEarlier: boolean },
): Upgrade | undefined {
  const from = storedVersion(files, log);
  if (from > schemaVersion) throw laterVersion(files, dataDir, from);
  // Of another program's database, openDatabase() says what it is.
  if (from === schemaVersion || from === 0) return undefined;
  const kept = keepsEarlier ? keepStore(files, dataDir, from) : undefined;
  return { from, to: schemaVersion, ...(kept !== undefined && { kept }) };
}

function laterVersion(files: StoreFiles, dataDir: string, version: number): StoreOpenError {
  const writer = writerOf(files) ?? 'a later version of Posthorn';
  const kept = findKept(dataDir, schemaVersion);
  const wayBack =
    kept === undefined
      ? ''
      : `. To go back to this version and to how the store was before the upgrade: move ${files.directory} away, and ` +
        `${kept} to ${files.directory}; mail that came in since stays in what was moved away`;
  return new StoreOpenError(
    'version',
    `data directory ${dataDir} was written by ${writer}, with schema version ${version}; this Posthorn knows versions up to ` +
      `${schemaVersion}: run that version, or a newer one${wayBack}`,
  );
}

/**
 * A process that was killed may have written a transaction, and not come to its sync. It counts, since it can be read; so it
 * must be on disk before the next one is written, or a power cut could leave the later one whole and the earlier one torn.
 */
function syncLeftovers(log: string): void {
  if (!existsSync(log)) return;
  const descriptor = openSync(log, 'r');
  try {
    fdatasyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function closeAll({ database, books }: Opened, state: 'whole' | 'lost', release: () => void): void {
  try {
    if (state === 'whole') books.finish();
  } finally {
    database.close();
    books.close();
    release();
  }
}

/** Only SQLite's own structure can be checked, not whether the content is what was written. */
function checkWhole(database: Database.Database, files: StoreFiles, dataDir: string): void {
  const found = database.prepare<[], string>(`PRAGMA quick_check(${maxNamed})`).pluck().all();
  if (found.length === 1 && found[0] === 'ok') return;
  throw damagedStore(
    dataDir,
    found.map((what) => ({ file: files.database, what: what.replaceAll(/\s+/g, ' ') })),
  );
}

function damagedStore(dataDir: string, damage: readonly Damage[]): StoreOpenError {
  const named = damage.slice(0, maxNamed).map((one) => `${one.file}: ${describeDamage(one)}`);
  const others = damage.length > maxNamed ? [`and ${damage.length - maxNamed} more`] : [];
  const list = [...named, ...others].map((line) => `  ${line}\n`).join('');
  return new StoreOpenError(
    'damaged',
    `data directory ${dataDir} holds a damaged store:\n${list}${whatToDo}`,
  );
}
