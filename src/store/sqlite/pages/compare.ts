/** Pages of the database file held against their sums, a piece at a time. */

import { pageBytes } from './format.ts';
import { readInto } from './read.ts';
import { type Sums, sumOf, sumOfOctets } from './sums.ts';

/** Pages that are read at once. */
export const pagesAtOnce = 128;

export interface ChangedPage {
  page: number;
  /** `missing`: the file ends before it does. `unreadable`: so says the disk. */
  how: 'changed' | 'missing' | 'unreadable';
}

export interface Comparison {
  /** Of the database file. */
  file: number;
  sums: Pick<Sums, 'bytes'>;
  /** Pages whose octets in the file do not count, as the log has newer ones. */
  skip?: { has(page: number): boolean };
}

/** Returns what compares `pagesAtOnce` pages from `first` on; it throws the system's error, but for EIO. */
export function pageComparer(comparison: Comparison): (first: number) => ChangedPage[] {
  const { file, sums, skip } = comparison;
  const octets = Buffer.allocUnsafe(pagesAtOnce * pageBytes);
  return (first) => {
    const there = readInto(file, octets, (first - 1) * pageBytes);
    const changed: ChangedPage[] = [];
    for (let page = first, start = 0; start < octets.length; page++, start += pageBytes) {
      const expected = sumOf(sums, page);
      if (expected === 0 || skip?.has(page)) continue;
      if (there === undefined) changed.push(...compareAlone(comparison, page, expected));
      else if (start + pageBytes > there) changed.push({ page, how: 'missing' });
      else if (sumOfOctets(octets.subarray(start, start + pageBytes)) !== expected)
        changed.push({ page, how: 'changed' });
    }
    return changed;
  };
}

/** Among pages of which one cannot be read. */
function compareAlone({ file }: Comparison, page: number, expected: number): ChangedPage[] {
  const octets = Buffer.alloc(pageBytes);
  const there = readInto(file, octets, (page - 1) * pageBytes);
  if (there === undefined) return [{ page, how: 'unreadable' }];
  if (there < pageBytes) return [{ page, how: 'missing' }];
  return sumOfOctets(octets) === expected ? [] : [{ page, how: 'changed' }];
}

/** Of how many pages sums are known. */
export const pagesWithSums = ({ bytes }: Pick<Sums, 'bytes'>): number => bytes.length / 4;
