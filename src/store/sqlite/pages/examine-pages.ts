/** Which pages of the database file are not as they were written, by their sums; within a budget of time if need be. */

import { closeSync, openSync } from 'node:fs';
import type { StoreFiles } from '../store-files.ts';
import { type ChangedPage, type Comparison, pageComparer, pagesAtOnce, pagesWithSums } from './compare.ts';
import type { Damage } from './damage.ts';
import { readFileHeader } from './format.ts';
import { type Log, pageCountOf } from './log.ts';
import { createOwners } from './owners.ts';
import { openPages, type PageSource } from './page-source.ts';
import type { Sums } from './sums.ts';

export interface ExaminationLimits {
  /** For comparing pages; without it, all are compared. */
  budgetMs?: number;
  /** So many changed pages are enough to know. */
  maxChanged: number;
}

export interface PageExamination {
  damage: Damage[];
  /** The time was over before this page was compared. */
  unexaminedFrom?: number;
}

/** Throws the system's error where a file cannot be read. */
export function examinePages(
  files: StoreFiles,
  log: Log | undefined,
  sums: Sums,
  limits: ExaminationLimits,
): PageExamination {
  using pages = openPages(files.database, log);
  const file = openSync(files.database, 'r');
  try {
    const skip = pagesOf(log);
    const counted = (log && pageCountOf(log)) ?? pagesWithSums(sums);
    const last = Math.min(pagesWithSums(sums), counted);
    const { changed, unexaminedFrom } = compareAll({ file, sums, skip }, last, limits);
    const damage = [
      ...(skip.has(1) ? [] : countDamage(files.sums, pages, sums)),
      ...pageDamage(files.database, pages, changed),
    ];
    return { damage, ...(unexaminedFrom !== undefined && { unexaminedFrom }) };
  } finally {
    closeSync(file);
  }
}

/** Pages that the file may have in any state: the log has newer ones, or had them before it was damaged. */
function pagesOf(log: Log | undefined): Set<number> {
  if (log === undefined) return new Set();
  const lost = log.damage === undefined ? [] : log.beyond.filter(({ isOwn }) => isOwn);
  return new Set([...log.frames, ...lost].map(({ page }) => page));
}

function compareAll(
  comparison: Comparison & { sums: Sums },
  last: number,
  { budgetMs = Number.POSITIVE_INFINITY, maxChanged }: ExaminationLimits,
): { changed: ChangedPage[]; unexaminedFrom?: number } {
  const giveUpAt = performance.now() + budgetMs;
  const { suspect } = comparison.sums;
  const comparePages = pageComparer(comparison);
  const compare = (first: number) => comparePages(first).filter(({ page }) => page <= last);
  const known = suspect === undefined ? [] : compare(suspect);
  if (known.length > 0) return { changed: known };
  const changed: ChangedPage[] = [];
  for (let first = 1; first <= last && changed.length < maxChanged; first += pagesAtOnce) {
    if (performance.now() > giveUpAt && changed.length === 0) return { changed, unexaminedFrom: first };
    changed.push(...compare(first));
  }
  return { changed };
}

/** The sums were cut to the length of the database when it last changed it; page 1 says how long that is. */
function countDamage(file: string, pages: PageSource, sums: Sums): Damage[] {
  const first = pages.readFromFile(1);
  const pageCount = first && readFileHeader(first)?.pageCount;
  if (pageCount === undefined || pageCount === pagesWithSums(sums)) return [];
  return [{ file, what: `has sums for ${pagesWithSums(sums)} pages, but the database has ${pageCount}` }];
}

const inWords = { changed: 'is not as it was written', unreadable: 'cannot be read from the disk' };

function pageDamage(file: string, pages: PageSource, changed: readonly ChangedPage[]): Damage[] {
  const owners = createOwners(pages.read);
  const damage = changed.flatMap(({ page, how }): Damage[] => {
    if (how === 'missing') return [];
    const table = owners.ownerOf(page);
    return [{ file, page, what: inWords[how], ...(table !== undefined && { table }) }];
  });
  const missing = changed.length - damage.length;
  if (missing === 0) return damage;
  const what = `ends after page ${pages.filePages}: at least ${missing} pages that it should have are missing`;
  return [...damage, { file, what }];
}
