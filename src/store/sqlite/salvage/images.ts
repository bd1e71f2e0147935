/**
 * What is left of each page: its present version, if that is as it was written; else what lies in its place, and what
 * the page was before. From the database file and from the log, also from frames that SQLite would not come to; the
 * sums tell which of them is the page that was written.
 */

import { pagesWithSums } from '../pages/compare.ts';
import type { Damage } from '../pages/damage.ts';
import { examineFiles } from '../pages/examine.ts';
import { lockedPage, readFileHeader } from '../pages/format.ts';
import type { Log, LogFrame } from '../pages/log.ts';
import type { LogMark } from '../pages/note.ts';
import { openPages, type PageSource } from '../pages/page-source.ts';
import { type Sums, sumOf, sumOfOctets } from '../pages/sums.ts';
import type { StoreFiles } from '../store-files.ts';

export interface PageImage {
  page: number;
  octets: Buffer;
  /** Its octets are those that were written, as far as can be told. */
  isWhole: boolean;
  /** An earlier version of a page of which the present one is not whole: what it has may have been deleted since. */
  isPast: boolean;
}

export interface Images extends Disposable {
  damage: Damage[];
  pageCount: number;
  /** The database has lost its end, and it is not known what was there. */
  isCut: boolean;
  /** It can be told whether the log is whole. */
  knowsLog: boolean;
  /** There is no database at all, nor anything beside it. */
  isLost: boolean;
  /** The images of a page, the best first; none where nothing is left of it. */
  of(page: number): PageImage[];
  /** Frames of a damaged log that are not whole: the number of their page may be wrong, too. */
  strays(): Iterable<PageImage>;
}

/** A page is asked for again and again while its rows are read. */
const pagesRemembered = 16;

/** Throws the system's error where a file cannot be opened at all. */
export function openImages(files: StoreFiles): Images {
  const { damage, log, sums, mark, evidence } = examineFiles(files, { maxChanged: Number.POSITIVE_INFINITY });
  const pages = openPages(files.database, log);
  const isLogDamaged = damage.some(({ file }) => file === files.log);
  const frames = log === undefined ? [] : isLogDamaged ? committedFrames(log, mark) : log.frames;
  const framesOf = Map.groupBy(frames.toReversed(), ({ page }) => page);
  const olderOf = Map.groupBy(log?.beyond.filter(({ isOwn }) => !isOwn) ?? [], ({ page }) => page);
  const broken = frames.filter(({ isWhole }) => !isWhole);
  const recent = new Map<number, PageImage[]>();

  function imagesOf(page: number): PageImage[] {
    const inLog = imagesInLog(pages, framesOf.get(page) ?? []);
    if (inLog[0]?.isWhole) return inLog.slice(0, 1);
    const inFile = imagesInFile(pages, page, sums, olderOf.get(page) ?? []);
    return inLog.length === 0 ? inFile : [...inLog, ...inFile.filter(({ isWhole }) => isWhole).map(past)];
  }

  const pageCount = countPages(pages, frames, sums);
  const cut = sums === undefined ? missingEnd(pages, pageCount) : undefined;

  return {
    damage: cut === undefined ? damage : [...damage, { file: files.database, what: cut }],
    pageCount,
    isCut: cut !== undefined,
    knowsLog: evidence !== 'none',
    isLost: evidence === 'new',
    of(page) {
      const images = recent.get(page) ?? imagesOf(page);
      recent.set(page, images);
      if (recent.size > pagesRemembered) recent.clear();
      return images;
    },
    strays: () => broken.flatMap((frame) => imagesInLog(pages, [frame])),
    [Symbol.dispose]: () => pages[Symbol.dispose](),
  };
}

const past = (image: PageImage): PageImage => ({ ...image, isPast: true });

/** Of a damaged log, also what follows the damage: up to the last commit that can be seen, or is known of. */
function committedFrames({ frames, beyond, salts }: Log, mark: LogMark | undefined): LogFrame[] {
  const seen =
    frames.length + beyond.findLastIndex(({ isWhole, commitPages }) => isWhole && commitPages > 0) + 1;
  const isOfThisLog = mark !== undefined && mark.salts[0] === salts[0] && mark.salts[1] === salts[1];
  return [...frames, ...beyond].slice(0, Math.max(seen, isOfThisLog ? mark.frames : 0));
}

function countPages(pages: PageSource, frames: readonly LogFrame[], sums: Sums | undefined): number {
  const inLog = frames.filter(({ isWhole }) => isWhole).reduce((most, { page }) => Math.max(most, page), 0);
  return Math.max(pages.filePages, inLog, sums === undefined ? 0 : pagesWithSums(sums));
}

/** By what page 1 says of the file's length, which the sums tell better where there are any. */
function missingEnd(pages: PageSource, pageCount: number): string | undefined {
  const first = pages.read(1);
  const written = (first && readFileHeader(first)?.pageCount) ?? 0;
  return written > pageCount ? `ends after ${pageCount} of its ${written} pages` : undefined;
}

/** The newest, and the whole ones before it. */
function imagesInLog(pages: PageSource, newestFirst: readonly LogFrame[]): PageImage[] {
  return newestFirst.flatMap((frame, index) => {
    if (index > 0 && !frame.isWhole) return [];
    const octets = pages.readFromLog(frame);
    return octets === undefined
      ? []
      : [{ page: frame.page, octets, isWhole: frame.isWhole, isPast: index > 0 }];
  });
}

/** What the file has, or a frame that was copied there once and is what should be there. */
function imagesInFile(
  pages: PageSource,
  page: number,
  sums: Sums | undefined,
  older: readonly LogFrame[],
): PageImage[] {
  if (page < 1 || page === lockedPage) return [];
  const expected = sums === undefined ? 0 : sumOf(sums, page);
  const isRight = (octets: Buffer) => expected === 0 || sumOfOctets(octets) === expected;
  const octets = pages.readFromFile(page);
  if (octets !== undefined && isRight(octets)) return [{ page, octets, isWhole: true, isPast: false }];
  const copy = older.map((frame) => pages.readFromLog(frame)).find((found) => found && isRight(found));
  if (copy !== undefined && expected !== 0) return [{ page, octets: copy, isWhole: true, isPast: false }];
  return octets === undefined ? [] : [{ page, octets, isWhole: false, isPast: false }];
}
