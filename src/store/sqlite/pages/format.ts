/**
 * Where what lies in an SQLite database file: its header, and the pointer map, which tells of each page what it is for.
 * For whoever must read a file that SQLite itself cannot, or may not, open. https://www.sqlite.org/fileformat2.html
 */

/** Octets of a page: a message of usual size with its neighbours, without overflow pages. */
export const pageBytes = 8192;

const magic = Buffer.from('SQLite format 3\0');

/** SQLite locks octets from here on instead of storing anything there: their page is never written. */
const lockedOctet = 0x40000000;
export const lockedPage = lockedOctet / pageBytes + 1;

/** Octets of one entry of the pointer map. */
const entryBytes = 5;
/** Pages from one page of the pointer map to the next. */
const mapStride = Math.floor(pageBytes / entryBytes) + 1;

export interface FileHeader {
  pageCount: number;
  /** The first page of the list of free pages; 0 where none is free. */
  firstFreePage: number;
}

/** Reads page 1. Undefined where it is not the beginning of a database like ours. */
export function readFileHeader(page: Buffer): FileHeader | undefined {
  if (!page.subarray(0, magic.length).equals(magic) || page.readUInt16BE(16) !== pageBytes) return undefined;
  return { pageCount: page.readUInt32BE(28), firstFreePage: page.readUInt32BE(32) };
}

/** What a page is, and its parent: the page that points to it (0 for roots and free pages). */
export interface PageUse {
  kind: 'root' | 'free' | 'overflow' | 'branch';
  parent: number;
}

const kinds: Record<number, PageUse['kind']> = {
  1: 'root',
  2: 'free',
  3: 'overflow',
  4: 'overflow',
  5: 'branch',
};

/** The page of the pointer map that has the entry of `page`, and where; undefined for pages that have none. */
export function placeInMap(page: number): { page: number; offset: number } | undefined {
  if (page < 2 || page === lockedPage) return undefined;
  const plain = Math.floor((page - 2) / mapStride) * mapStride + 2;
  const map = plain === lockedPage ? plain + 1 : plain;
  return page <= map ? undefined : { page: map, offset: (page - map - 1) * entryBytes };
}

/** Undefined where there is no entry, or none that makes sense. */
export function readUse(map: Buffer, offset: number): PageUse | undefined {
  const kind = kinds[map[offset] ?? 0];
  return kind && { kind, parent: map.readUInt32BE(offset + 1) };
}
