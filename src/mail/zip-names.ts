/** The names in a zip archive, from its central directory (APPNOTE.TXT §4.3.12, §4.3.16). Nothing is unpacked. */

/** Entries that are read. */
export const maxEntries = 1000;
const endRecordBytes = 22;
const entryBytes = 46;
/** A comment of 65535 octets may follow the end record. */
const maxTail = endRecordBytes + 0xffff;
/** `PK\5\6`, `PK\1\2`. */
const endSignature = Buffer.from([0x50, 0x4b, 5, 6]);
const entrySignature = 0x02014b50;
/** Of a file: with it an archive begins that has one. */
const localSignature = 0x04034b50;

export interface ZipNames {
  /** Some may be those of folders, and end in a slash. */
  names: string[];
  /** There are more. */
  isCut: boolean;
}

/** Undefined for what has no directory. */
export function namesInZip(archive: Buffer): ZipNames | undefined {
  const tail = Math.max(0, archive.length - maxTail);
  const end = archive.lastIndexOf(endSignature);
  if (end < tail || end + endRecordBytes > archive.length) return undefined;
  const directoryBytes = archive.readUInt32LE(end + 12);
  // Something may stand before the archive, by which its own offsets are wrong: the directory ends where its end record begins.
  let at = end - directoryBytes;
  if (at < 0) return undefined;
  const names: string[] = [];
  const hasEntry = () => at + entryBytes <= end && archive.readUInt32LE(at) === entrySignature;
  while (names.length < maxEntries && hasEntry()) {
    const nameBytes = archive.readUInt16LE(at + 28);
    const rest = archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
    const nameAt = at + entryBytes;
    names.push(archive.toString('utf8', nameAt, Math.min(nameAt + nameBytes, end)));
    at = nameAt + nameBytes + rest;
  }
  if (names.length === 0 && (directoryBytes > 0 || hasFile(archive))) return undefined;
  return { names, isCut: hasEntry() };
}

/** An end record in the comment of another one can hide a directory from us, and not from everybody. */
const hasFile = (archive: Buffer): boolean =>
  archive.length >= 4 && archive.readUInt32LE(0) === localSignature;
