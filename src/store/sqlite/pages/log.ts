/**
 * SQLite's write-ahead log, read without SQLite, which takes the first frame that is not whole for the end of the log
 * and drops all that follows in silence. After a power cut that is right: the last transaction was not yet synced, and
 * its sectors may have come to disk in any order. But that explains one transaction only. What was written after it was
 * written after its sync; so where that is found, the disk has changed something that was acknowledged.
 * https://www.sqlite.org/fileformat2.html#the_write_ahead_log
 */

import { closeSync, fstatSync } from 'node:fs';
import { endianness } from 'node:os';
import { pageBytes } from './format.ts';
import { openIfThere, readInto } from './read.ts';

export const logHeaderBytes = 32;
const frameHeaderBytes = 24;
export const frameBytes = frameHeaderBytes + pageBytes;
/** Octets that a disk writes all or none of. */
const sectorBytes = 512;
/** Frames read at once. */
const framesAtOnce = 128;

/** Named for the byte order of the sums; SQLite uses that of the machine that writes. */
const magics: Record<number, 'LE' | 'BE'> = { 931071618: 'LE', 931071619: 'BE' };

/** Drawn anew, the first one counted up, whenever the log begins again from its start. */
export type Salts = readonly [number, number];
type Sum = readonly [number, number];

export interface LogFrame {
  /** From 1. */
  number: number;
  page: number;
  /** Pages of the database after the transaction that this frame ends; 0 inside of one. */
  commitPages: number;
  /** Where the page's octets begin in the file. */
  offset: number;
  /** Of this generation of the log, by its salts; else it is left from an older one. */
  isOwn: boolean;
  /** Its sum is right too, seen from the frame before. */
  isWhole: boolean;
}

export interface Log {
  path: string;
  salts: Salts;
  /** The frames that SQLite goes by: all before `endsAt`. */
  frames: LogFrame[];
  /** The number of the frame after the last commit that is whole. */
  endsAt: number;
  /** What the file has after that: a transaction that was cut off, older generations, or more if there is damage. */
  beyond: LogFrame[];
  /** What is wrong, where a power cut cannot be the reason. */
  damage?: string;
}

/** Undefined where there is no log, or nothing was ever written to it. Throws the system's error. */
export function readLog(path: string): Log | undefined {
  const file = openIfThere(path);
  if (file === undefined) return undefined;
  try {
    return readOpenLog(file, path);
  } finally {
    closeSync(file);
  }
}

/** The frame of each page that counts: the last one of those that SQLite goes by. */
export function newestFrames({ frames }: Pick<Log, 'frames'>): Map<number, LogFrame> {
  return new Map(frames.map((frame) => [frame.page, frame]));
}

/** The page count after the last whole commit; undefined where there is none in the log. */
export const pageCountOf = ({ frames }: Pick<Log, 'frames'>): number | undefined =>
  frames.at(-1)?.commitPages;

/** The salts in a log's header, of which the first 32 octets are given. */
const saltsOf = (header: Buffer): Salts => [header.readUInt32BE(16), header.readUInt32BE(20)];

function readOpenLog(file: number, path: string): Log | undefined {
  const { size } = fstatSync(file);
  if (size < logHeaderBytes) return undefined;
  const header = Buffer.alloc(logHeaderBytes);
  readInto(file, header, 0);
  const headerIsWhole = isHeader(header);
  // The header is synced before the first frame is written: without frames it may be torn, with them it may not.
  if (!headerIsWhole && size < logHeaderBytes + frameBytes) return undefined;
  const generation = headerIsWhole ? generationOf(header) : guessGeneration(file, header);
  const all = readFrames(file, generation, Math.floor((size - logHeaderBytes) / frameBytes));
  const { frames, beyond } = headerIsWhole ? cutAtEnd(all) : { frames: [], beyond: all };
  const damage = headerIsWhole ? findDamage(frames, beyond) : 'its header is not as it was written';
  const log = { path, salts: generation.salts, frames, endsAt: frames.length + 1, beyond };
  return damage === undefined ? log : { ...log, damage };
}

function isHeader(header: Buffer): boolean {
  const order = magics[header.readUInt32BE(0)];
  if (order === undefined || header.readUInt32BE(8) !== pageBytes) return false;
  const [one, other] = addUp([0, 0], wordsOf(Buffer.from(header.subarray(0, 24)), order));
  return one === header.readUInt32BE(24) && other === header.readUInt32BE(28);
}

/** What the frames of one generation have in common. */
interface Generation {
  order: 'LE' | 'BE';
  salts: Salts;
  /** Of the header: the sums of the frames go on from it. */
  sum: Sum;
}

const generationOf = (header: Buffer): Generation => ({
  order: magics[header.readUInt32BE(0)] ?? endianness(),
  salts: saltsOf(header),
  sum: [header.readUInt32BE(24), header.readUInt32BE(28)],
});

/** Of a log whose header is damaged: what its first frame says. */
function guessGeneration(file: number, header: Buffer): Generation {
  const first = Buffer.alloc(frameHeaderBytes);
  readInto(file, first, logHeaderBytes);
  const salts: Salts = [first.readUInt32BE(8), first.readUInt32BE(12)];
  return { ...generationOf(header), order: endianness(), salts };
}

function readFrames(file: number, { order, salts, sum }: Generation, count: number): LogFrame[] {
  const frames: LogFrame[] = [];
  const chunk = Buffer.alloc(framesAtOnce * frameBytes);
  let before = sum;
  for (let index = 0; index < count; index++) {
    const start = (index % framesAtOnce) * frameBytes;
    // What cannot be read is not whole.
    if (start === 0 && readInto(file, chunk, logHeaderBytes + index * frameBytes) === undefined)
      chunk.fill(0);
    const octets = chunk.subarray(start, start + frameBytes);
    const stored: Sum = [octets.readUInt32BE(16), octets.readUInt32BE(20)];
    const isOwn = octets.readUInt32BE(8) === salts[0] && octets.readUInt32BE(12) === salts[1];
    frames.push({
      number: index + 1,
      page: octets.readUInt32BE(0),
      commitPages: octets.readUInt32BE(4),
      offset: logHeaderBytes + index * frameBytes + frameHeaderBytes,
      isOwn,
      isWhole: isOwn && isRight(octets, before, stored, order),
    });
    before = stored;
  }
  return frames;
}

function isRight(frame: Buffer, before: Sum, stored: Sum, order: 'LE' | 'BE'): boolean {
  if (frame.readUInt32BE(0) === 0) return false;
  const words = wordsOf(frame, order);
  const [one, other] = addUp(addUp(before, words.subarray(0, 2)), words.subarray(frameHeaderBytes / 4));
  return one === stored[0] && other === stored[1];
}

/** The octets as 32-bit numbers; those of the other byte order are turned round where they are. */
function wordsOf(octets: Buffer, order: 'LE' | 'BE'): Uint32Array {
  if (order !== endianness()) octets.swap32();
  return new Uint32Array(octets.buffer, octets.byteOffset, Math.floor(octets.length / 4));
}

/** SQLite's own sum, which goes on from frame to frame. */
function addUp([first, second]: Sum, words: Uint32Array): Sum {
  let one = first | 0;
  let other = second | 0;
  for (let index = 0; index < words.length; index += 2) {
    one = (one + (words[index] ?? 0) + other) | 0;
    other = (other + (words[index + 1] ?? 0) + one) | 0;
  }
  return [one >>> 0, other >>> 0];
}

function cutAtEnd(all: LogFrame[]): Pick<Log, 'frames' | 'beyond'> {
  const broken = all.findIndex(({ isWhole }) => !isWhole);
  const whole = broken < 0 ? all : all.slice(0, broken);
  const end = whole.findLastIndex(({ commitPages }) => commitPages > 0) + 1;
  return { frames: all.slice(0, end), beyond: all.slice(end) };
}

/**
 * A whole frame that goes on from a commit which SQLite does not come to. The sum of a frame follows from the one
 * before, so whoever wrote it had written that commit, and synced it: it is not the remainder of a cut-off transaction,
 * of which the commit is the last frame.
 */
function findDamage(frames: readonly LogFrame[], beyond: readonly LogFrame[]): string | undefined {
  const later = beyond.find((frame, index) => {
    const before = beyond[index - 1];
    return frame.isWhole && before !== undefined && before.commitPages > 0 && isOnePiece(before);
  });
  if (later === undefined) return undefined;
  const broken = beyond.find(({ isWhole }) => !isWhole);
  return (
    `frame ${broken?.number ?? frames.length + 1} is not as it was written, ` +
    `and later transactions follow it (frame ${later.number})`
  );
}

/** That it says "commit" may be trusted: whole, or its header at least lies in one sector and so is of one writing. */
function isOnePiece({ isWhole, offset }: LogFrame): boolean {
  const first = Math.floor((offset - frameHeaderBytes) / sectorBytes);
  return isWhole || first === Math.floor((offset - 1) / sectorBytes);
}
