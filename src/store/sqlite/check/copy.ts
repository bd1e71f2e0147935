/** The database as it counts now, its log applied, in memory: for SQLite where it cannot make its own files. */

import { closeSync, fstatSync } from 'node:fs';
import { pageBytes } from '../pages/format.ts';
import { newestFrames, pageCountOf, readLog } from '../pages/log.ts';
import { openPages } from '../pages/page-source.ts';
import { openIfThere, readInto } from '../pages/read.ts';
import type { StoreFiles } from '../store-files.ts';

/** SQLite makes a copy of its own. */
const copies = 2;
/** Read at once; where the disk cannot read one, its pages are read alone. */
const pieceBytes = 128 * pageBytes;
/** In the first page: which kind of journal the file asks for. 2 is a write-ahead log, 1 one that needs no file to read. */
const journalVersions = [18, 19] as const;

/** The database does not fit into memory. */
export class CopyTooLargeError extends Error {
  override readonly name = 'CopyTooLargeError';
  readonly bytes: number;

  constructor(bytes: number) {
    super(`a copy of ${bytes} octets does not fit into memory`);
    this.bytes = bytes;
  }
}

/** What cannot be read is zeros. Throws CopyTooLargeError, and the system's error where a file cannot be opened. */
export function copyOf(
  { database, log: logPath }: Pick<StoreFiles, 'database' | 'log'>,
  availableBytes = process.availableMemory(),
): Buffer {
  const log = readLog(logPath);
  using pages = openPages(database, log);
  const inLog = log && pageCountOf(log);
  const copy = copyFile(database, inLog === undefined ? undefined : inLog * pageBytes, availableBytes);
  // Of a page that was given back since, the database has no place any more.
  for (const frame of newestFrames(log ?? { frames: [] }).values())
    if (frame.page * pageBytes <= copy.length)
      pages.readFromLog(frame)?.copy(copy, (frame.page - 1) * pageBytes);
  // There are no files beside a copy in memory.
  for (const place of journalVersions) if (copy[place] === 2) copy[place] = 1;
  return copy;
}

function copyFile(path: string, wantedBytes: number | undefined, availableBytes: number): Buffer {
  const file = openIfThere(path);
  try {
    const sizeBytes = wantedBytes ?? (file === undefined ? 0 : fstatSync(file).size);
    if (sizeBytes * copies > availableBytes) throw new CopyTooLargeError(sizeBytes);
    const copy = Buffer.alloc(sizeBytes);
    if (file === undefined) return copy;
    for (let start = 0; start < sizeBytes; start += pieceBytes)
      readPiece(file, copy.subarray(start, start + pieceBytes), start);
    return copy;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function readPiece(file: number, piece: Buffer, position: number): void {
  if (readInto(file, piece, position) !== undefined) return;
  for (let start = 0; start < piece.length; start += pageBytes) {
    const page = piece.subarray(start, start + pageBytes);
    if (readInto(file, page, position + start) === undefined) page.fill(0);
  }
}
