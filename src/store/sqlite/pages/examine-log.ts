/** What is wrong with the write-ahead log: what it shows itself, and what is known of how long it was. */

import type { Damage } from './damage.ts';
import { type Log, newestFrames } from './log.ts';
import type { LogMark, Note } from './note.ts';
import { openPages } from './page-source.ts';
import { type Sums, sumOf, sumOfOctets } from './sums.ts';

export function logDamage(file: string, log: Log | undefined, mark: LogMark | undefined): Damage[] {
  const what = log?.damage ?? (mark && contradiction(log, mark));
  return what === undefined ? [] : [{ file, what }];
}

/** SQLite copies the log back and removes it when another program looks at the database; hasLog() cannot always tell. */
const ifCopiedBack =
  '(only if you know that another program, or a Posthorn that ended over a bug, has had it copied back into the database: ' +
  'remove posthorn.db-sums and posthorn.db-note)';
const isMissing = `is missing, and with it mail that was accepted last ${ifCopiedBack}`;
/** Nothing was noted that it should have, but the database has changed. */
export const isUnclear = `is missing, or empty, but the database has changed ${ifCopiedBack}`;

function contradiction(log: Log | undefined, { salts, frames }: LogMark): string | undefined {
  if (log === undefined) return isMissing;
  const generations = (log.salts[0] - salts[0]) >>> 0;
  if (generations === 0 && log.salts[1] === salts[1]) {
    if (log.frames.length >= frames) return undefined;
    return `is as it was written up to frame ${log.frames.length} only, of at least ${frames}`;
  }
  // Counted up each time that the log begins anew. The mark may be old, but it is never ahead.
  const isLater = generations > 0 && generations < 2 ** 31;
  return isLater ? undefined : 'is not the one that belongs to this database, or an older one';
}

export const foreignLog =
  'is of another time than the database, which was closed with nothing in its log (if files of one copy were put over those of ' +
  'another: this one has to go)';

/** Of a store that was closed: what is left of its log can only be what the database has too. */
export function isForeign(database: string, log: Log): boolean {
  using pages = openPages(database, log);
  return [...newestFrames(log).values()].some((frame) => {
    const octets = pages.readFromFile(frame.page);
    // Of a page that was given back since, the database has no place any more.
    return octets !== undefined && pages.readFromLog(frame)?.equals(octets) !== true;
  });
}

/**
 * Whether the database has all that was in the log: the page that the last commit wrote last, which it can only have from
 * there. SQLite copies pages in the order of their numbers, and a transaction writes the highest of its own last.
 */
export function hasLog(database: string, { proofs }: Pick<Note, 'proofs'>, sums: Sums | undefined): boolean {
  using pages = openPages(database, undefined);
  return proofs.some(({ page, sum }) => {
    const octets = pages.readFromFile(page);
    const wasThereBefore = sums !== undefined && sumOf(sums, page) === sum;
    return octets !== undefined && sumOfOctets(octets) === sum && !wasThereBefore;
  });
}
