/**
 * Looks at the files of a store before SQLite does, which would take a damaged log for the end of it, and a changed page
 * for what was written. Only reads. To be called under the store's lock, and while this process has the database closed.
 */

import type { StoreFiles } from '../store-files.ts';
import type { Damage } from './damage.ts';
import { foreignLog, hasLog, isForeign, isUnclear, logDamage } from './examine-log.ts';
import { type ExaminationLimits, examinePages, type PageExamination } from './examine-pages.ts';
import { type Log, readLog } from './log.ts';
import { type LogMark, type Note, readNote } from './note.ts';
import { sizeIfThere } from './read.ts';
import { readSums, type Sums } from './sums.ts';

/** What there is to go by. */
export type Evidence =
  /** There is no store yet. */
  | 'new'
  /** Every page has its sum. */
  | 'sums'
  /** SQLite has copied the log back on its own, all of it: the sums are of no use any more. */
  | 'copied-back'
  /** No sums, but the log is as long as it was. */
  | 'note'
  /** Neither: what is missing at the end of the log cannot be seen. */
  | 'none';

export interface Examination extends PageExamination {
  log: Log | undefined;
  /** How long the log was at least. */
  mark: LogMark | undefined;
  /** Undefined where there are none to go by: then only a check of the whole database can tell. */
  sums: Sums | undefined;
  evidence: Evidence;
}

/** Throws the system's error where a file cannot be read. */
export function examineFiles(files: StoreFiles, limits: ExaminationLimits): Examination {
  const log = readLog(files.log);
  const { sums, note, damage } = readRecords(files);
  const found = { log, sums, mark: note?.mark };
  if (!hasContent(files.database)) return { ...found, ...examineAbsence(files, { log, note, damage }) };
  const isCopiedBack = log === undefined && note !== undefined && hasLog(files.database, note, sums);
  if (isCopiedBack && sums?.suspect === undefined)
    return { ...found, sums: undefined, evidence: 'copied-back', damage };
  const known = [...damage, ...logDamage(files.log, log, note?.mark)];
  if (log !== undefined && sums?.isInUse === false && isForeign(files.database, log))
    known.push({ file: files.log, what: foreignLog });
  if (sums === undefined) return { ...found, evidence: note ? 'note' : 'none', damage: known };
  const pages = examinePages(files, log, sums, limits);
  const isUnnoted = log === undefined && sums.isInUse && note?.mark === undefined && pages.damage.length > 0;
  if (isUnnoted) known.push({ file: files.log, what: isUnclear });
  return { ...found, evidence: 'sums', ...pages, damage: [...known, ...pages.damage] };
}

interface Records {
  sums: Sums | undefined;
  note: Note | undefined;
  damage: Damage[];
}

function readRecords(files: StoreFiles): Records {
  const sums = readSums(files.sums);
  const note = readNote(files.note);
  const damage: Damage[] = [];
  if (sums === 'damaged') damage.push({ file: files.sums, what: changedSums });
  if (note === 'damaged') damage.push({ file: files.note, what: changedNote });
  const found = { sums: sums === 'damaged' ? undefined : sums, note: note === 'damaged' ? undefined : note };
  const earlier = found.sums?.earlierNote;
  if (note === undefined && earlier !== undefined) return { ...found, note: earlier, damage };
  if (note === undefined && found.sums?.isInUse) damage.push({ file: files.note, what: missingNote });
  return { ...found, damage };
}

/** There is no database: a new store, unless anything speaks of one. */
function examineAbsence(
  files: StoreFiles,
  { log, note, damage }: { log: Log | undefined } & Pick<Records, 'note' | 'damage'>,
): Pick<Examination, 'evidence' | 'damage'> {
  const isNew = (log?.frames.length ?? 0) === 0 && !isThere(files.sums) && !isThere(files.note);
  if (isNew) return { evidence: 'new', damage };
  const gone: Damage = { file: files.database, what: 'is missing, or empty' };
  return { evidence: 'none', damage: [gone, ...damage, ...logDamage(files.log, log, note?.mark)] };
}

const hasContent = (path: string): boolean => (sizeIfThere(path) ?? 0) > 0;
const isThere = (path: string): boolean => sizeIfThere(path) !== undefined;

const changedSums =
  'is not as it was written (if nothing else is wrong, remove it: the whole database is checked then, which shows broken ' +
  'structure but not changed content, and it is made anew)';
const withoutNote =
  'whether the end of posthorn.db-wal is lost, and mail with it, cannot be seen any more. If nothing else is wrong, ' +
  'and you accept that, remove posthorn.db-sums and posthorn.db-note: what is there is used then';
const changedNote = `is not as it was written: ${withoutNote}`;
const missingNote = `is missing: ${withoutNote}`;
