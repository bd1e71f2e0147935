/**
 * How long the write-ahead log was after the last commit, in a file of its own, so that damage to the sums, or their
 * removal, does not take it along. Written after each commit's sync and not synced itself: after a power cut it may be
 * old, but it is never ahead of the log. A log that is shorter has lost what was acknowledged.
 *
 * A program that ends without closing the store has SQLite copy the log back and remove it, which looks like a log that
 * was lost. So the note also says what the page is that the last commit wrote last: a database that has it has the log.
 */

import { closeSync, fsyncSync, openSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { isDiskFull } from '../../errors.ts';
import { syncDirectoryNow } from './directory.ts';
import type { Salts } from './log.ts';
import { ownedLikeDirectory } from './ownership.ts';
import { openIfThere, readIfThere, writeAll } from './read.ts';

const magic = Buffer.from('posthorn note 1\n');
/** Within one sector, so that a disk writes all of it or nothing. */
const noteBytes = 48;
const places = { salts: [16, 20], frames: 24, proofs: [28, 36], sum: 44 } as const;

export interface LogMark {
  salts: Salts;
  /** At least so many frames were synced. */
  frames: number;
}

/** A page as a commit has written it; its sum as in sums.ts. */
export interface Proof {
  page: number;
  sum: number;
}

export interface Note {
  /** Undefined where nothing is in the log that the database does not have. */
  mark: LogMark | undefined;
  /** Of the last commit, and of the one that was about to be synced: the database has either only from the log. */
  proofs: readonly Proof[];
}

export const emptyNote: Note = { mark: undefined, proofs: [] };

/** Undefined where there is none; 'damaged' where the file is not what was written. Throws the system's error. */
export function readNote(path: string): Note | 'damaged' | undefined {
  const file = readIfThere(path);
  if (file === undefined) return undefined;
  if (file.length !== noteBytes || !file.subarray(0, magic.length).equals(magic)) return 'damaged';
  if (crc32(file.subarray(0, places.sum)) !== file.readUInt32LE(places.sum)) return 'damaged';
  const at = (offset: number) => file.readUInt32LE(offset);
  const mark: LogMark = { salts: [at(places.salts[0]), at(places.salts[1])], frames: at(places.frames) };
  const proofs = places.proofs.map((place) => ({ page: at(place), sum: at(place + 4) }));
  return { mark: mark.frames > 0 ? mark : undefined, proofs: proofs.filter(({ page }) => page > 0) };
}

/** The file while the store is open. All methods throw the system's error. */
export class NoteFile {
  readonly #file: number;

  /** Opens the note, or makes an empty one, which is whole and durable before it has its name. */
  constructor(path: string) {
    this.#file = openIfThere(path, 'r+') ?? createNote(path);
  }

  /** Not synced. On a disk that is full the old note stays, which says less and nothing wrong. */
  write(note: Note): void {
    try {
      writeAll(this.#file, octetsOf(note), 0);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
    }
  }

  /** All is in the database, durably noted: the log may go. */
  rest(): void {
    writeAll(this.#file, octetsOf(emptyNote), 0);
    fsyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }
}

function createNote(path: string): number {
  const draft = `${path}.tmp`;
  const file = openSync(draft, 'w+', 0o600);
  try {
    ownedLikeDirectory(draft);
    writeAll(file, octetsOf(emptyNote), 0);
    fsyncSync(file);
    renameSync(draft, path);
    syncDirectoryNow(dirname(path));
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function octetsOf({ mark, proofs }: Note): Buffer {
  const octets = Buffer.alloc(noteBytes);
  magic.copy(octets);
  octets.writeUInt32LE(mark?.salts[0] ?? 0, places.salts[0]);
  octets.writeUInt32LE(mark?.salts[1] ?? 0, places.salts[1]);
  octets.writeUInt32LE(mark?.frames ?? 0, places.frames);
  for (const [index, place] of places.proofs.entries()) {
    octets.writeUInt32LE(proofs[index]?.page ?? 0, place);
    octets.writeUInt32LE(proofs[index]?.sum ?? 0, place + 4);
  }
  octets.writeUInt32LE(crc32(octets.subarray(0, places.sum)), places.sum);
  return octets;
}
