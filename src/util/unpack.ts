/**
 * Takes one file out of gzip (RFC 1952) or ZIP (APPNOTE), as many octets of it as are allowed: a bomb costs no more than
 * that. Blocks: for threads that may.
 */

import { crc32, gunzipSync, inflateRawSync } from 'node:zlib';

/** What is wrong, for people: the words go on after "it cannot be read: ". */
export class UnpackError extends Error {
  override readonly name = 'UnpackError';
}

const endOfDirectory = 0x06054b50;
const directoryEntry = 0x02014b50;
const localHeader = 0x04034b50;
/** The end of the directory, with the longest comment (APPNOTE §4.3.16). */
const maxEndBytes = 22 + 0xffff;
/** Files of an archive that are looked at. */
const maxFiles = 100;
const isEncrypted = 1;
const [stored, deflated] = [0, 8];

export const isGzip = (octets: Buffer): boolean => octets[0] === 0x1f && octets[1] === 0x8b;

export const isZip = (octets: Buffer): boolean =>
  octets.length >= 4 && octets.readUInt32LE(0) === localHeader;

/** The file in it; of an archive the first whose name `wanted` fits. Octets that are neither are given back as they are. Throws an UnpackError. */
export function unpack(octets: Buffer, maxBytes: number, wanted: RegExp): Buffer {
  if (isGzip(octets)) return bounded(maxBytes, (options) => gunzipSync(octets, options));
  return isZip(octets) ? unzip(octets, maxBytes, wanted) : octets;
}

function bounded(maxBytes: number, read: (options: { maxOutputLength: number }) => Buffer): Buffer {
  try {
    return read({ maxOutputLength: maxBytes });
  } catch (error) {
    if (error instanceof RangeError) throw new UnpackError(`unpacked it is larger than ${maxBytes} octets`);
    throw new UnpackError(`it cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`);
  }
}

interface Entry {
  name: string;
  flags: number;
  method: number;
  sum: number;
  packedBytes: number;
  headerAt: number;
}

function unzip(octets: Buffer, maxBytes: number, wanted: RegExp): Buffer {
  const files = directoryOf(octets);
  const file = files.find(({ name }) => wanted.test(name));
  if (file === undefined) throw new UnpackError('no file in the archive is a report');
  if (file.flags & isEncrypted) throw new UnpackError('the archive is encrypted');
  const packed = packedOctets(octets, file);
  const content = contentOf(packed, file, maxBytes);
  if (crc32(content) !== file.sum) throw new UnpackError('the archive is damaged: a sum does not fit');
  return content;
}

function contentOf(packed: Buffer, { method }: Entry, maxBytes: number): Buffer {
  if (method === deflated) return bounded(maxBytes, (options) => inflateRawSync(packed, options));
  if (method !== stored) throw new UnpackError(`nothing here unpacks the archive's method ${method}`);
  if (packed.length > maxBytes) throw new UnpackError(`unpacked it is larger than ${maxBytes} octets`);
  return packed;
}

function directoryOf(octets: Buffer): Entry[] {
  const end = findEnd(octets);
  const count = Math.min(octets.readUInt16LE(end + 10), maxFiles);
  const entries: Entry[] = [];
  let at = octets.readUInt32LE(end + 16);
  while (entries.length < count) {
    if (at + 46 > octets.length || octets.readUInt32LE(at) !== directoryEntry) throw damaged();
    const nameBytes = octets.readUInt16LE(at + 28);
    entries.push({
      name: octets.toString('latin1', at + 46, at + 46 + nameBytes),
      flags: octets.readUInt16LE(at + 8),
      method: octets.readUInt16LE(at + 10),
      sum: octets.readUInt32LE(at + 16),
      packedBytes: octets.readUInt32LE(at + 20),
      headerAt: octets.readUInt32LE(at + 42),
    });
    at += 46 + nameBytes + octets.readUInt16LE(at + 30) + octets.readUInt16LE(at + 32);
  }
  return entries;
}

function findEnd(octets: Buffer): number {
  for (let at = octets.length - 22; at >= Math.max(0, octets.length - maxEndBytes); at -= 1)
    if (octets.readUInt32LE(at) === endOfDirectory) return at;
  throw damaged();
}

/** The sizes are the directory's: the header of the file may leave them open. */
function packedOctets(octets: Buffer, { headerAt, packedBytes }: Entry): Buffer {
  if (headerAt + 30 > octets.length || octets.readUInt32LE(headerAt) !== localHeader) throw damaged();
  const start = headerAt + 30 + octets.readUInt16LE(headerAt + 26) + octets.readUInt16LE(headerAt + 28);
  if (start + packedBytes > octets.length) throw damaged();
  return octets.subarray(start, start + packedBytes);
}

const damaged = () => new UnpackError('the archive is damaged');
