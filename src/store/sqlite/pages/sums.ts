/**
 * The sums of the database's pages (CRC-32), in a file beside it: what tells a page that the disk has changed, or does
 * not have, from what SQLite wrote. SQLite itself would notice only where the change breaks its structure.
 *
 * The invariant: every page that is not in the write-ahead log has the sum that stands here. Pages change only when the
 * log is copied back; the log begins anew only with the commit after that; in between, the new sums are written and
 * synced. So a crash at any moment leaves either the old log or the new sums.
 *
 * The file's first sector also says how long the log was after the last commit (`mark`), not synced, but never ahead of
 * the log: a log that is shorter has lost what was acknowledged. No mark: all is in the database.
 */

import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { errorCode } from '../../errors.ts';
import { lockedPage } from './format.ts';
import type { Salts } from './log.ts';
import { ownedLikeDirectory } from './ownership.ts';

const magic = Buffer.from('posthorn sums 1\n');
/** The sums begin behind the first sector. */
const headerBytes = 512;
/** Of the header: magic, salts and frames of the mark, the suspect, whether it is in use, and a sum of all that. */
const usedBytes = 40;
const places = { salts: [16, 20], frames: 24, suspect: 28, isInUse: 32, sum: 36 } as const;
/** Sums are written in blocks of so many octets. */
const blockBytes = 4096;

export interface LogMark {
  salts: Salts;
  /** At least so many frames were synced. */
  frames: number;
}

export interface Sums {
  mark: LogMark | undefined;
  /** A page that was found changed while the server ran: the first to look at. */
  suspect: number | undefined;
  /** The store was open when this was written: SQLite may have copied the log back on its own since. */
  isInUse: boolean;
  /** 32 bits for each page, from page 1; 0 for a page that was never written. */
  bytes: Buffer;
}

/** Undefined where there are none yet; 'damaged' where the file is not what was written. Throws the system's error. */
export function readSums(path: string): Sums | 'damaged' | undefined {
  const file = readIfThere(path);
  if (file === undefined) return undefined;
  if (file.length < headerBytes || !file.subarray(0, magic.length).equals(magic)) return 'damaged';
  if (crc32(file.subarray(0, places.sum)) !== file.readUInt32LE(places.sum)) return 'damaged';
  const at = (offset: number) => file.readUInt32LE(offset);
  const mark: LogMark = { salts: [at(places.salts[0]), at(places.salts[1])], frames: at(places.frames) };
  return {
    mark: mark.frames > 0 ? mark : undefined,
    suspect: at(places.suspect) || undefined,
    isInUse: at(places.isInUse) !== 0,
    bytes: file.subarray(headerBytes, file.length - (file.length % 4)),
  };
}

/** The sum that a page should have; 0 where it was never written, and so may hold anything. */
export function sumOf({ bytes }: Pick<Sums, 'bytes'>, page: number): number {
  const offset = (page - 1) * 4;
  return page === lockedPage || offset + 4 > bytes.length ? 0 : bytes.readUInt32LE(offset);
}

/** The sum of a page's octets; never 0. */
export const sumOfOctets = (octets: Buffer): number => crc32(octets) || 1;

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The file while the store is open. All methods throw the system's error. */
export class SumsFile {
  readonly #file: number;
  #header: Buffer;
  #bytes: Buffer;

  /** Opens the file that `bytes` and `mark` were read from; it is in use from here on, durably. */
  constructor(path: string, { bytes, mark }: Pick<Sums, 'bytes' | 'mark'>) {
    this.#file = openSync(path, 'r+');
    this.#bytes = bytes;
    this.#header = headerOf({ mark, isInUse: true });
    this.#writeHeader();
    fsyncSync(this.#file);
  }

  /** The sums as they are now. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Notes how long the log is now, or that nothing is in it that the database does not have; not synced. */
  mark(mark: LogMark | undefined): void {
    this.#header = headerOf({ mark, isInUse: true });
    this.#writeHeader();
  }

  /** Notes, durably, a page that was found changed. */
  suspect(page: number): void {
    this.#header.writeUInt32LE(page, places.suspect);
    this.#writeHeader();
    fsyncSync(this.#file);
  }

  /** All is in the database, and nobody will change it: durably. */
  rest(): void {
    this.#header = headerOf({ mark: undefined, isInUse: false });
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
    this.mark(undefined);
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
    const header = summed(headerOf({ mark: undefined, isInUse: true }));
    writeAll(file, Buffer.concat([header, Buffer.alloc(headerBytes - usedBytes), bytes]), 0);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(draft, path);
  syncDirectoryNow(dirname(path));
}

/** On the store thread, which waits for the disk anyway. */
export function syncDirectoryNow(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function headerOf({ mark, isInUse }: Pick<Sums, 'mark' | 'isInUse'>): Buffer {
  const header = Buffer.alloc(usedBytes);
  magic.copy(header);
  header.writeUInt32LE(mark?.salts[0] ?? 0, places.salts[0]);
  header.writeUInt32LE(mark?.salts[1] ?? 0, places.salts[1]);
  header.writeUInt32LE(mark?.frames ?? 0, places.frames);
  header.writeUInt32LE(Number(isInUse), places.isInUse);
  return header;
}

function summed(header: Buffer): Buffer {
  header.writeUInt32LE(crc32(header.subarray(0, places.sum)), places.sum);
  return header;
}

function writeAll(file: number, octets: Buffer, position: number): void {
  for (let done = 0; done < octets.length; )
    done += writeSync(file, octets, done, octets.length - done, position + done);
}
