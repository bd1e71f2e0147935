/**
 * The sums of the database's pages (CRC-32), in a file beside it: what tells a page that the disk has changed, or does
 * not have, from what SQLite wrote. SQLite itself would notice only where the change breaks its structure.
 *
 * The invariant: every page that is not in the write-ahead log has the sum that stands here. Pages change only when the
 * log is copied back; the log begins anew only with the commit after that; in between, the new sums are written and
 * synced. So a crash at any moment leaves either the old log or the new sums.
 */

import { closeSync, fsyncSync, ftruncateSync, openSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { syncDirectoryNow } from './directory.ts';
import { lockedPage } from './format.ts';
import type { Note } from './note.ts';
import { ownedLikeDirectory } from './ownership.ts';
import { readIfThere, writeAll } from './read.ts';

const magic = Buffer.from('posthorn sums 2\n');
/** Of the version before, which had the note of the log's length in this file. */
const earlierMagic = Buffer.from('posthorn sums 1\n');
/** The sums begin behind the first sector. */
const headerBytes = 512;
/** Of the header: magic, the suspect, whether it is in use, and a sum of all that; what lies between is free. */
const usedBytes = 40;
const places = { suspect: 28, isInUse: 32, sum: 36 } as const;
const earlierPlaces = { salts: [16, 20], frames: 24 } as const;
/** Sums are written in blocks of so many octets. */
const blockBytes = 4096;

export interface Sums {
  /** A page that was found changed while the server ran: the first to look at. */
  suspect: number | undefined;
  /** The store was open when this was written: SQLite may have copied the log back on its own since. */
  isInUse: boolean;
  /** What the version before has noted here. */
  earlierNote?: Note;
  /** 32 bits for each page, from page 1; 0 for a page that was never written. */
  bytes: Buffer;
}

/** Undefined where there are none yet; 'damaged' where the file is not what was written. Throws the system's error. */
export function readSums(path: string): Sums | 'damaged' | undefined {
  const file = readIfThere(path);
  if (file === undefined) return undefined;
  const kind = file.subarray(0, magic.length);
  const isEarlier = kind.equals(earlierMagic);
  if (file.length < headerBytes || !(isEarlier || kind.equals(magic))) return 'damaged';
  if (crc32(file.subarray(0, places.sum)) !== file.readUInt32LE(places.sum)) return 'damaged';
  const at = (offset: number) => file.readUInt32LE(offset);
  return {
    suspect: at(places.suspect) || undefined,
    isInUse: at(places.isInUse) !== 0,
    ...(isEarlier && { earlierNote: earlierNote(at) }),
    bytes: file.subarray(headerBytes, file.length - (file.length % 4)),
  };
}

function earlierNote(at: (offset: number) => number): Note {
  const [first, second] = earlierPlaces.salts;
  const mark = { salts: [at(first), at(second)] as const, frames: at(earlierPlaces.frames) };
  return { mark: mark.frames > 0 ? mark : undefined, proofs: [] };
}

/** The sum that a page should have; 0 where it was never written, and so may hold anything. */
export function sumOf({ bytes }: Pick<Sums, 'bytes'>, page: number): number {
  const offset = (page - 1) * 4;
  return page === lockedPage || offset + 4 > bytes.length ? 0 : bytes.readUInt32LE(offset);
}

/** The sum of a page's octets; never 0. */
export const sumOfOctets = (octets: Buffer): number => crc32(octets) || 1;

/** The file while the store is open. All methods throw the system's error. */
export class SumsFile {
  readonly #file: number;
  #header: Buffer;
  #bytes: Buffer;

  /** Opens the file that `bytes` were read from; it is in use from here on, durably. */
  constructor(path: string, { bytes }: Pick<Sums, 'bytes'>) {
    this.#file = openSync(path, 'r+');
    this.#bytes = bytes;
    this.#header = headerInUse();
    this.#writeHeader();
    fsyncSync(this.#file);
  }

  /** The sums as they are now. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Notes, durably, a page that was found changed. */
  suspect(page: number): void {
    this.#header.writeUInt32LE(page, places.suspect);
    this.#writeHeader();
    fsyncSync(this.#file);
  }

  /** All is in the database, and nobody will change it: durably. */
  rest(): void {
    this.#header.writeUInt32LE(0, places.isInUse);
    this.#writeHeader();
    fsyncSync(this.#file);
  }

  /** Makes room for the sums of so many pages, so that a full disk shows before anything depends on them. */
  reserve(pageCount: number): void {
    const missing = pageCount * 4 - this.#bytes.length;
    if (missing <= 0) return;
    const room = Buffer.alloc(missing);
    writeAll(this.#file, room, headerBytes + this.#bytes.length);
    this.#bytes = Buffer.concat([this.#bytes, room]);
  }

  /**
   * The log has been copied back: writes the sums of its pages, durably, and forgets those of the pages after
   * `pageCount`, which may return unwritten.
   */
  update(sums: ReadonlyMap<number, number>, pageCount: number): void {
    this.reserve(pageCount);
    const blocks = new Set<number>();
    for (const [page, sum] of sums) {
      if (page > pageCount) continue;
      this.#bytes.writeUInt32LE(sum, (page - 1) * 4);
      blocks.add(Math.floor(((page - 1) * 4) / blockBytes));
    }
    for (const block of blocks) {
      const start = block * blockBytes;
      writeAll(this.#file, this.#bytes.subarray(start, start + blockBytes), headerBytes + start);
    }
    if (pageCount * 4 < this.#bytes.length) {
      this.#bytes = this.#bytes.subarray(0, pageCount * 4);
      ftruncateSync(this.#file, headerBytes + this.#bytes.length);
    }
    fsyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }

  #writeHeader(): void {
    writeAll(this.#file, summed(this.#header), 0);
  }
}

/** Makes a new file with these sums; whole and durable before it has its name. */
export function createSums(path: string, bytes: Buffer): void {
  const draft = `${path}.tmp`;
  const file = openSync(draft, 'w', 0o600);
  try {
    ownedLikeDirectory(draft);
    const header = summed(headerInUse());
    writeAll(file, Buffer.concat([header, Buffer.alloc(headerBytes - usedBytes), bytes]), 0);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(draft, path);
  syncDirectoryNow(dirname(path));
}

function headerInUse(): Buffer {
  const header = Buffer.alloc(usedBytes);
  magic.copy(header);
  header.writeUInt32LE(1, places.isInUse);
  return header;
}

function summed(header: Buffer): Buffer {
  header.writeUInt32LE(crc32(header.subarray(0, places.sum)), places.sum);
  return header;
}
