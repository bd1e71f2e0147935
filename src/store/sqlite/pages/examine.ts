/**
 * Looks at the files of a store before SQLite does, which would take a damaged log for the end of it, and a changed page
 * for what was written. Only reads. To be called under the store's lock, and while this process has the database closed.
 */

import { statSync } from 'node:fs';
import { errorCode } from '../../errors.ts';
import type { StoreFiles } from '../store-files.ts';
import type { Damage } from './damage.ts';
import { logDamage } from './examine-log.ts';
import { type ExaminationLimits, examinePages, type PageExamination } from './examine-pages.ts';
import { type Log, readLog } from './log.ts';
import { readSums, type Sums } from './sums.ts';

export interface Examination extends PageExamination {
  log: Log | undefined;
  /** Undefined where there are none that could be gone by: then only a check of the whole database can tell. */
  sums: Sums | undefined;
  /** There is no store yet. */
  isNew: boolean;
}

/** Throws the system's error where a file cannot be read. */
export function examineFiles(files: StoreFiles, limits: ExaminationLimits): Examination {
  const log = readLog(files.log);
  const read = readSums(files.sums);
  const sums = read === 'damaged' ? undefined : read;
  const known = [
    ...(read === 'damaged' ? [damagedSums(files)] : []),
    ...logDamage(files.log, log, sums?.mark),
  ];
  if (!hasContent(files.database)) {
    const isNew = read === undefined && (log?.frames.length ?? 0) === 0;
    const gone: Damage = { file: files.database, what: 'is missing, or empty' };
    return { log, sums, isNew, damage: isNew ? known : [gone, ...known] };
  }
  if (sums === undefined) return { log, sums, isNew: false, damage: known };
  if (sums.isInUse && log === undefined && sums.suspect === undefined)
    return examineWithoutLog(files, sums, known);
  const { damage, ...rest } = examinePages(files, log, sums, limits);
  return { log, sums, isNew: false, ...rest, damage: [...known, ...damage] };
}

/**
 * The store was in use, and there is no log. Where a page has changed, SQLite has copied the log back and removed it on
 * its own, as it does when a program ends without closing the store: the sums are of no use then. Where none has, there
 * was nothing in the log; or if it is known that there was, the log is lost.
 */
function examineWithoutLog(files: StoreFiles, sums: Sums, known: Damage[]): Examination {
  const { damage } = examinePages(files, undefined, sums, { maxChanged: 1 });
  const found = { log: undefined, isNew: false };
  return damage.length === 0 ? { ...found, sums, damage: known } : { ...found, sums: undefined, damage: [] };
}

function hasContent(path: string): boolean {
  try {
    return statSync(path).size > 0;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

const damagedSums = ({ sums }: StoreFiles): Damage => ({
  file: sums,
  what:
    'is not as it was written (if nothing else is wrong, remove it: the whole database is checked then, ' +
    'and it is made anew)',
});
