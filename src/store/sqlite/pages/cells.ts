/**
 * The rows of one b-tree page, as far as they can be made out: of rows too long for their page, the rest is fetched from
 * the pages that they go on in. Looks at each row alone, so that damage to one does not hide the others.
 * https://www.sqlite.org/fileformat2.html#b_tree_pages
 */

import { pageBytes } from './format.ts';
import { readVarint } from './record.ts';

/** The first page begins with the header of the file. */
const fileHeaderBytes = 100;

const branchHeaderBytes = 12;

/** By the page's first octet. Rows of tables without rowid, and of indexes, lie in branches too. */
const layouts: Record<
  number,
  { headerBytes: number; cellHead: 'rowid' | 'child' | 'none'; maxLocal: number }
> = {
  13: { headerBytes: 8, cellHead: 'rowid', maxLocal: pageBytes - 35 },
  10: { headerBytes: 8, cellHead: 'none', maxLocal: Math.floor(((pageBytes - 12) * 64) / 255) - 23 },
  2: { headerBytes: 12, cellHead: 'child', maxLocal: Math.floor(((pageBytes - 12) * 64) / 255) - 23 },
};
const minLocal = Math.floor(((pageBytes - 12) * 32) / 255) - 23;

/** No row of ours is longer: what claims to be, is damaged. */
const maxPayloadBytes = 16 * 1024 * 1024;

export interface Payload {
  /** As much of the record as could be read. */
  octets: Buffer;
  /** Of a longer record, the page that it goes on in, and how long it is as a whole. */
  rest?: { page: number; totalBytes: number };
}

/** How many rows the page says that it has; 0 for pages without rows. */
export function cellCount(page: Buffer, pageNumber: number): number {
  const start = pageNumber === 1 ? fileHeaderBytes : 0;
  const layout = layouts[page[start] ?? 0];
  if (layout === undefined) return 0;
  const room = Math.floor((pageBytes - start - layout.headerBytes) / 2);
  return Math.min(page.readUInt16BE(start + 3), room);
}

/** What the page itself holds of its row of this index, from 0. Undefined where that makes no sense. */
export function readCell(page: Buffer, pageNumber: number, index: number): Payload | undefined {
  const start = pageNumber === 1 ? fileHeaderBytes : 0;
  const layout = layouts[page[start] ?? 0];
  if (layout === undefined) return undefined;
  const offset = page.readUInt16BE(start + layout.headerBytes + 2 * index);
  const head = layout.cellHead === 'child' ? offset + 4 : offset;
  const [totalBytes, afterLength] = readVarint(page, head);
  const at = layout.cellHead === 'rowid' ? readVarint(page, afterLength)[1] : afterLength;
  if (!(totalBytes > 0 && totalBytes <= maxPayloadBytes)) return undefined;
  return payloadAt(page, at, totalBytes, layout.maxLocal);
}

function payloadAt(page: Buffer, at: number, totalBytes: number, maxLocal: number): Payload | undefined {
  if (totalBytes <= maxLocal) {
    return at + totalBytes <= page.length ? { octets: page.subarray(at, at + totalBytes) } : undefined;
  }
  const fitting = minLocal + ((totalBytes - minLocal) % (pageBytes - 4));
  const local = fitting <= maxLocal ? fitting : minLocal;
  if (at + local + 4 > page.length) return undefined;
  const rest = { page: page.readUInt32BE(at + local), totalBytes };
  return { octets: page.subarray(at, at + local), rest };
}

/** The pages below a branch of a tree; none for leaves. */
export function childrenOf(page: Buffer, pageNumber: number): number[] {
  const start = pageNumber === 1 ? fileHeaderBytes : 0;
  const isBranch = page[start] === 0x02 || page[start] === 0x05;
  if (!isBranch) return [];
  const cells = start + branchHeaderBytes;
  const count = Math.min(page.readUInt16BE(start + 3), Math.floor((pageBytes - cells) / 2));
  const offsets = Array.from({ length: count }, (_, index) => page.readUInt16BE(cells + 2 * index));
  const children = offsets
    .filter((offset) => offset + 4 <= pageBytes)
    .map((offset) => page.readUInt32BE(offset));
  return [...children, page.readUInt32BE(start + 8)];
}

/** The whole record; less where a page that it goes on in cannot be read. */
export function wholeRecord({ octets, rest }: Payload, read: (page: number) => Buffer | undefined): Buffer {
  if (rest === undefined) return octets;
  const parts = [octets];
  let missing = rest.totalBytes - octets.length;
  for (let next = rest.page; next !== 0 && missing > 0; ) {
    const page = read(next);
    if (page === undefined) break;
    const part = page.subarray(4, 4 + Math.min(missing, pageBytes - 4));
    parts.push(part);
    missing -= part.length;
    next = page.readUInt32BE(0);
  }
  return Buffer.concat(parts);
}
