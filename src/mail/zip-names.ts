/**
 * The names in a zip archive, as any program may show them: those of its central directory, or of each that there might be, and
 * those that the files bear themselves (APPNOTE.TXT §4.3.7, §4.3.12). Nothing is unpacked.
 */

import { entrySignature, findDirectories, hasSignature, type ZipDirectory } from './zip-directory.ts';

/** Names that are read, and entries of one directory. */
export const maxEntries = 1000;
const entryBytes = 46;
const localBytes = 30;
/** `PK\3\4`, before each file. */
const localSignature = Buffer.from([0x50, 0x4b, 3, 4]);
const localNumber = 0x04034b50;
/** What stands in place of a number that is told in 64 bits elsewhere. */
const told64 = 0xffffffff;
/** Longer ones are no names, nor is what some octets of a program look like. */
const longestName = 1024;

export interface ZipNames {
  /** Some may be those of folders, and end in a slash. */
  names: string[];
  /** Why there may be others, in words. */
  cut?: string;
}

export function namesInZip(archive: Buffer): ZipNames {
  const { found, isCut } = findDirectories(archive);
  const listings = found.map((directory) => new Listing(archive, directory));
  const listed = listings.flatMap(({ entries }) => entries);
  const own = ownNames(archive, listed);
  const names = new Set([...listed.map(({ name }) => name), ...own.names]);
  const differ = isCut || !own.isListed || !areSame(listings);
  const cut = [
    found.length === 0 && 'a zip archive without a directory that can be read',
    (own.isCut || names.size > maxEntries || listings.some((each) => each.isCut)) &&
      `a zip archive of more than ${maxEntries} files`,
    differ && 'a zip archive in which different programs find different files',
  ].find((reason) => reason !== false);
  return { names: [...names].slice(0, maxEntries), ...(cut !== undefined && { cut }) };
}

const areSame = ([first, ...others]: readonly Listing[]): boolean =>
  others.every(
    ({ names }) => names.size === first?.names.size && [...names].every((name) => first.names.has(name)),
  );

interface Listed {
  name: string;
  /** Where the file should begin. */
  at: number;
  /** Of its packed octets. */
  sizeBytes: number;
}

class Listing {
  readonly entries: Listed[] = [];
  readonly names: ReadonlySet<string>;
  readonly isCut: boolean;

  constructor(archive: Buffer, { start, end, base }: ZipDirectory) {
    let at = start;
    const hasEntry = () => at + entryBytes <= end && hasSignature(archive, at, entrySignature);
    while (this.entries.length < maxEntries && hasEntry()) {
      const nameBytes = archive.readUInt16LE(at + 28);
      const rest = archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
      const nameAt = at + entryBytes;
      this.entries.push({
        name: archive.toString('utf8', nameAt, Math.min(nameAt + nameBytes, end)),
        at: base + archive.readUInt32LE(at + 42),
        sizeBytes: archive.readUInt32LE(at + 20),
      });
      at = nameAt + nameBytes + rest;
    }
    this.names = new Set(this.entries.map(({ name }) => name));
    this.isCut = hasEntry();
  }
}

interface OwnNames {
  names: Set<string>;
  /** Each stands where a directory lists a file, by that name and of that size. */
  isListed: boolean;
  isCut: boolean;
}

/**
 * The names that files bear themselves, by which some programs go. What lies within a file that is listed is not looked into: it
 * may be an archive in the archive. Names that lie over each other could be far longer together than the archive: no more of
 * them is read than it has octets.
 */
function ownNames(archive: Buffer, listed: readonly Listed[]): OwnNames {
  const byPlace = new Map<number, Listed[]>();
  for (const each of listed) byPlace.set(each.at, [...(byPlace.get(each.at) ?? []), each]);
  const names = new Set<string>();
  let isListed = true;
  let nameBytes = 0;
  let at = 0;
  for (let looked = 0; looked < maxHeaders; looked++) {
    at = archive.indexOf(localSignature, at);
    if (at < 0) return { names, isListed, isCut: false };
    const own = readLocal(archive, at);
    const entries = byPlace.get(at) ?? [];
    if (own) {
      nameBytes += own.nameBytes;
      if (nameBytes > archive.length) return { names, isListed: false, isCut: false };
      names.add(own.name);
      isListed &&= entries.length > 0 && entries.every((entry) => isSame(own, entry));
    }
    at = own && entries.length > 0 ? behind(own, entries) : at + localSignature.length;
  }
  return { names, isListed, isCut: true };
}

/** Files, and what looks like one, that are looked at. */
const maxHeaders = 2 * maxEntries;

interface Local {
  name: string;
  nameBytes: number;
  /** Undefined where it is told behind the file (§4.4.4, bit 3), or in 64 bits. */
  sizeBytes: number | undefined;
  bodyAt: number;
}

function readLocal(archive: Buffer, at: number): Local | undefined {
  if (!hasSignature(archive, at, localNumber) || at + localBytes > archive.length) return undefined;
  const nameBytes = archive.readUInt16LE(at + 26);
  const nameAt = at + localBytes;
  if (nameBytes === 0 || nameBytes > longestName || nameAt + nameBytes > archive.length) return undefined;
  const sizeBytes = archive.readUInt32LE(at + 18);
  const isToldBehind = (archive.readUInt16LE(at + 6) & 8) !== 0;
  return {
    name: archive.toString('utf8', nameAt, nameAt + nameBytes),
    nameBytes,
    sizeBytes: isToldBehind || sizeBytes === told64 ? undefined : sizeBytes,
    bodyAt: nameAt + nameBytes + archive.readUInt16LE(at + 28),
  };
}

const isSame = (own: Local, { name, sizeBytes }: Listed): boolean =>
  own.name === name && (own.sizeBytes === undefined || sizeBytes === told64 || own.sizeBytes === sizeBytes);

/** Where the file ends at the earliest, by all that tell of it. */
function behind({ bodyAt, sizeBytes }: Local, entries: readonly Listed[]): number {
  const told = [sizeBytes ?? told64, ...entries.map((entry) => entry.sizeBytes)];
  const known = told.filter((size) => size !== told64);
  return bodyAt + (known.length === 0 ? 0 : Math.min(...known));
}
