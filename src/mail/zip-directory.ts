/**
 * Where a zip archive has its central directory (APPNOTE.TXT §4.3.16; of Zip64 §4.3.14, §4.3.15): every place that some program
 * may take for it. They differ in which end record they believe, and in whether they go by the offset that it tells or by where it
 * stands itself, as is right where something stands before the archive.
 */

export interface ZipDirectory {
  start: number;
  /** Where it ends at the latest. */
  end: number;
  /** To be added to the offsets that it holds. */
  base: number;
}

export interface ZipDirectories {
  /** Each once; the one that most programs take comes first. */
  found: ZipDirectory[];
  /** There may be more. */
  isCut: boolean;
}

/** Places that are looked at; an honest archive has one. */
export const maxDirectories = 4;
/** End records, or what looks like one in a comment, that are looked at. */
const maxEndRecords = 16;

const endRecordBytes = 22;
/** A comment of 65535 octets may follow the end record. */
const maxTail = endRecordBytes + 0xffff;
/** `PK\5\6`, `PK\6\6`, `PK\6\7`. */
const endSignature = Buffer.from([0x50, 0x4b, 5, 6]);
const end64Signature = 0x06064b50;
const locatorSignature = 0x07064b50;
const locatorBytes = 20;
const end64Bytes = 56;
/** `PK\1\2`. */
export const entrySignature = 0x02014b50;

export function findDirectories(archive: Buffer): ZipDirectories {
  const places = new Places(archive);
  const tail = Math.max(0, archive.length - maxTail);
  let looked = 0;
  for (let end = archive.lastIndexOf(endSignature); end >= tail; end = before(archive, end)) {
    if (++looked > maxEndRecords || places.isFull) return { found: places.found, isCut: true };
    if (!isBelievable(archive, end, places)) continue;
    places.add(end, archive.readUInt32LE(end + 12), archive.readUInt32LE(end + 16));
    const end64 = findZip64(archive, end);
    if (end64 !== undefined) places.add(end64, number64(archive, end64 + 40), number64(archive, end64 + 48));
  }
  return { found: places.found.slice(0, maxDirectories), isCut: places.isFull };
}

/** The last one that leads anywhere, or one whose comment goes to the end: others are those of archives in the archive. */
const isBelievable = (archive: Buffer, end: number, { found }: Places): boolean => {
  const behind = archive.length - end - endRecordBytes;
  return behind >= 0 && (found.length === 0 || archive.readUInt16LE(end + 20) === behind);
};

/** The signature's place before this one, or -1. */
const before = (archive: Buffer, at: number): number =>
  at === 0 ? -1 : archive.lastIndexOf(endSignature, at - 1);

class Places {
  readonly found: ZipDirectory[] = [];
  readonly #archive: Buffer;

  constructor(archive: Buffer) {
    this.#archive = archive;
  }

  get isFull(): boolean {
    return this.found.length > maxDirectories;
  }

  /** `end`: where the record stands that tells of so many octets at that offset. */
  add(end: number, sizeBytes: number, offset: number): void {
    const start = end - sizeBytes;
    this.#addOne({ start, end, base: start - offset }, sizeBytes === 0);
    this.#addOne({ start: offset, end, base: 0 }, false);
  }

  #addOne(place: ZipDirectory, isEmpty: boolean): void {
    const { start, end } = place;
    if (start < 0 || start > end || this.found.some((each) => each.start === start)) return;
    if (isEmpty || hasSignature(this.#archive, start, entrySignature)) this.found.push(place);
  }
}

/** A Zip64 end record, where the locator before an end record says, or else right before that one. */
function findZip64(archive: Buffer, end: number): number | undefined {
  const locator = end - locatorBytes;
  if (!hasSignature(archive, locator, locatorSignature)) return undefined;
  return [number64(archive, locator + 8), locator - end64Bytes].find(
    (at) => at + end64Bytes <= archive.length && hasSignature(archive, at, end64Signature),
  );
}

/** Numbers above 2^53 are no places in any archive. */
const number64 = (archive: Buffer, at: number): number => Number(archive.readBigUInt64LE(at));

export const hasSignature = (archive: Buffer, at: number, signature: number): boolean =>
  at >= 0 && at + 4 <= archive.length && archive.readUInt32LE(at) === signature;
