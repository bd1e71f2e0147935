/**
 * Reading a Maildir, as POP3 does: what is there, in order; a message with CRLF line ends in bounded chunks; removal.
 * Never changes names or flags, and copes with other programs that do so meanwhile. Format: see maildir.ts.
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, rm, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncDirectory } from './directory-sync.ts';
import { errorCode } from './errors.ts';
import { lfToCrlf, missingCrs } from './line-ends.ts';

/** Octets read from a file at once. */
const chunkBytes = 64 * 1024;
/** Files without their size in their name that are measured at once. */
const measuredAtOnce = 8;

export interface MailboxEntry {
  /** The file's name. */
  name: string;
  /** Stays the same when flags change or the message moves from `new/` to `cur/`; fit for UIDL (RFC 1939 §7). */
  unique: string;
  /** With CRLF line ends, octets. */
  sizeBytes: number;
  path: string;
  /** The same message under its earlier name: a power cut in the middle of a move can leave both. */
  earlierPath?: string;
  /** Lies in `new/`: no program has listed it as seen. */
  isNew: boolean;
}

/**
 * The messages in `new/` and `cur/`, by time, then name. A missing Maildir is an empty one. What may not be read is left out, and
 * `onClosed` hears of its path: one file that somebody else has put there must not hide all the others.
 */
export async function listMaildir(
  maildir: string,
  onClosed: (path: string) => void = () => undefined,
): Promise<MailboxEntry[]> {
  const files = withoutDoubles([...(await filesIn(maildir, 'new')), ...(await filesIn(maildir, 'cur'))]);
  files.sort((a, b) => a.time - b.time || (a.name < b.name ? -1 : 1));
  const entries: MailboxEntry[] = [];
  for (let start = 0; start < files.length; start += measuredAtOnce) {
    const batch = files.slice(start, start + measuredAtOnce).map((file) => measure(file, onClosed));
    const measured = await Promise.all(batch);
    entries.push(...measured.filter((entry) => entry !== undefined));
  }
  return entries;
}

/** The message with CRLF line ends. Throws ENOENT where it is gone. */
export async function* readEntry(entry: MailboxEntry): AsyncIterable<Buffer> {
  const { convert } = lfToCrlf();
  const file = await openEntry(entry);
  for await (const chunk of file.createReadStream({ highWaterMark: chunkBytes })) yield convert(chunk);
}

/** Removes messages of one Maildir, durably. One that is gone already is no error. */
export async function removeEntries(entries: readonly MailboxEntry[]): Promise<void> {
  const directories = new Set<string>();
  for (const entry of entries) {
    // The earlier name first: if there is only time for one, the message is still there as a whole.
    if (entry.earlierPath !== undefined) await rm(entry.earlierPath, { force: true });
    const removed = [await removeFile(entry), entry.earlierPath];
    for (const path of removed) if (path !== undefined) directories.add(dirname(path));
  }
  for (const directory of directories) await syncDirectory(directory);
}

/** The path that was removed, if there was one. */
async function removeFile(entry: MailboxEntry): Promise<string | undefined> {
  try {
    await unlink(entry.path);
    return entry.path;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    const path = await currentPath(entry);
    if (path !== undefined) await rm(path, { force: true });
    return path;
  }
}

interface MaildirFile {
  name: string;
  path: string;
  earlierPath?: string;
  isNew: boolean;
  /** Seconds since the epoch, from the name. */
  time: number;
}

async function filesIn(maildir: string, part: 'new' | 'cur'): Promise<MaildirFile[]> {
  const names = await visibleNames(join(maildir, part));
  return names.map((name) => ({
    name,
    path: join(maildir, part, name),
    isNew: part === 'new',
    time: Number.parseInt(name, 10) || 0,
  }));
}

/** Files come from `new/`, then from `cur/`, where a message goes: the later one is its name now. */
function withoutDoubles(files: readonly MaildirFile[]): MaildirFile[] {
  const messages = new Map<string, MaildirFile>();
  for (const file of files) {
    const base = baseName(file.name);
    const earlier = messages.get(base);
    messages.set(base, earlier === undefined ? file : { ...file, earlierPath: earlier.path });
  }
  return [...messages.values()];
}

/** What a name becomes that is not UTF-8: under that no file can be opened. */
const undecodable = '\ufffd';

/**
 * Names that begin with a dot are no messages (the format says so). Nor are names that are not UTF-8: nothing that
 * delivers mail makes such a one, and one stray file must not hide all the others.
 */
async function visibleNames(directory: string): Promise<string[]> {
  try {
    const names = await readdir(directory);
    return names.filter((name) => !name.startsWith('.') && !name.includes(undecodable));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** A size in a name that more digits have is none. */
const toldSize = /,W=(\d{1,15})(?!\d)/;

/** A file of another user; a link that leads to itself. */
const closedCodes = new Set(['EACCES', 'EPERM', 'ELOOP']);

/** Undefined where the file is no file, may not be read, or another program took it away meanwhile. */
async function measure(
  { name, path, isNew, earlierPath }: MaildirFile,
  onClosed: (path: string) => void,
): Promise<MailboxEntry | undefined> {
  const told = toldSize.exec(name)?.[1];
  try {
    const sizeBytes = told === undefined ? await measureFile(path) : Number(told);
    if (sizeBytes === undefined) return undefined;
    const entry = { name, unique: uniquePart(name), sizeBytes, path, isNew };
    return earlierPath === undefined ? entry : { ...entry, earlierPath };
  } catch (error) {
    const code = errorCode(error) ?? '';
    if (closedCodes.has(code)) onClosed(path);
    else if (code !== 'ENOENT') throw error;
    return undefined;
  }
}

async function measureFile(path: string): Promise<number | undefined> {
  const { size, isFile } = await stat(path).then((stats) => ({ size: stats.size, isFile: stats.isFile() }));
  if (!isFile) return undefined;
  let added = 0;
  let previous: number | undefined;
  for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) {
    added += missingCrs(chunk, previous);
    previous = chunk.at(-1);
  }
  return size + added;
}

/** A UIDL is 1 to 70 printable ASCII characters (RFC 1939 §7); a longer or stranger name is named by its hash. */
function uniquePart(name: string): string {
  const base = baseName(name);
  return /^[!-~]{1,70}$/.test(base) ? base : createHash('sha256').update(base).digest('hex');
}

/** The name without flags (`:2,…`) and without fields such as sizes (`,S=…`), which programs may add or drop. */
const baseName = (name: string): string => name.replace(/[:,].*$/s, '');

async function openEntry(entry: MailboxEntry) {
  try {
    return await open(entry.path);
  } catch (error) {
    const path = errorCode(error) === 'ENOENT' ? await currentPath(entry) : undefined;
    if (path === undefined) throw error;
    return open(path);
  }
}

/** Where the message lies now: flags, and the move from `new/` to `cur/`, are renamings by other programs. */
async function currentPath({ path, name }: MailboxEntry): Promise<string | undefined> {
  const maildir = dirname(dirname(path));
  const base = baseName(name);
  for (const part of [basename(dirname(path)), 'cur', 'new']) {
    const directory = join(maildir, part);
    const names = await visibleNames(directory);
    const found = names.includes(name) ? name : names.find((candidate) => baseName(candidate) === base);
    if (found !== undefined) return join(directory, found);
  }
  return undefined;
}
