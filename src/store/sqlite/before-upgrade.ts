/**
 * A store of an earlier version is kept as it is before it is brought up to date: its files, copied before SQLite opens
 * them. Who wants to go back has them; nothing removes them but their owner.
 */

import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { syncDirectoryNow } from './pages/directory.ts';
import type { Log } from './pages/log.ts';
import { ownedLikeDirectory } from './pages/ownership.ts';
import { openPages } from './pages/page-source.ts';
import type { StoreFiles } from './store-files.ts';

/** Beside `store/`. */
export const keptDirectory = (dataDir: string): string => join(dataDir, 'before-upgrade');

/** In the first page: `PRAGMA user_version`. https://www.sqlite.org/fileformat2.html#the_database_header */
const versionPlace = 60;
const magic = Buffer.from('SQLite format 3\0');

/** The version of a database's schema, read without SQLite; 0 where there is none, or no database. Throws the system's error. */
export function storedVersion({ database }: StoreFiles, log: Log | undefined): number {
  using pages = openPages(database, log);
  const first = pages.read(1);
  return first?.subarray(0, magic.length).equals(magic) ? first.readUInt32BE(versionPlace) : 0;
}

/**
 * Copies the files of the store, durably, and returns where to. After an upgrade that was interrupted the copy of the same
 * state is there already. Throws the system's error.
 */
export function keepStore(files: StoreFiles, dataDir: string, version: number): string {
  const kept = [files.database, files.log, files.sums, files.note].filter((path) => existsSync(path));
  const changedAt = Math.max(
    ...[files.database, files.log].filter(existsSync).map((path) => statSync(path).mtimeMs),
  );
  const parent = keptDirectory(dataDir);
  const directory = join(
    parent,
    `schema-${version}-${new Date(changedAt).toISOString().replaceAll(':', '-')}`,
  );
  if (existsSync(directory)) return directory;
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  ownedLikeDirectory(parent);
  const draft = `${directory}.unfinished`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  ownedLikeDirectory(draft);
  try {
    for (const path of kept) copyDurably(path, join(draft, basename(path)));
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  }
  syncDirectoryNow(draft);
  renameSync(draft, directory);
  syncDirectoryNow(parent);
  syncDirectoryNow(dataDir);
  return directory;
}

/** Where the file system can, the copy shares its blocks with the file until one of them changes. */
function copyDurably(from: string, to: string): void {
  copyFileSync(from, to, constants.COPYFILE_FICLONE);
  ownedLikeDirectory(to);
  const file = openSync(to, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The newest copy of a store that a version can read which knows schema versions up to `most`, if there is one. */
export function findKept(dataDir: string, most: number): string | undefined {
  const parent = keptDirectory(dataDir);
  if (!existsSync(parent)) return undefined;
  const versionOf = (name: string) => Number(/^schema-(\d+)-[^/]*Z$/.exec(name)?.[1] ?? Number.NaN);
  const fitting = readdirSync(parent).filter((name) => versionOf(name) <= most);
  const [best] = fitting.sort((a, b) => versionOf(b) - versionOf(a) || (a < b ? 1 : -1));
  return best && join(parent, best);
}

/** Which version of the program has used the store last, and its schema; absent before there was such a note. */
export const writerPath = ({ directory }: Pick<StoreFiles, 'directory'>): string =>
  join(directory, 'written-by');

/** `Posthorn 1.2.0`. Whatever is wrong with the note, it is only for a person. */
export function writerOf(files: Pick<StoreFiles, 'directory'>): string | undefined {
  const path = writerPath(files);
  if (!existsSync(path)) return undefined;
  return /^Posthorn [\w.+-]{1,60}$/m.exec(readFileSync(path, 'utf8'))?.[0];
}
