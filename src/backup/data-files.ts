/**
 * What of a data directory is saved besides the store: mailboxes, keys, and whatever else lies there. While the server runs,
 * mailboxes change as they are read; what has been delivered is not missed, and is whole.
 */

import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isHandedIn, maildropDirectory } from '../store/drop-message.ts';
import { errorCode } from '../store/errors.ts';

export type DataEntry =
  /** A directory; what is in it follows. */
  | { kind: 'directory'; path: string }
  /** `handedIn`: its name in the maildrop. `message`: of a Maildir. Its octets never change, and its name only in what follows `base`. */
  | {
      kind: 'file';
      path: string;
      message?: { folder: string; base: string };
      handedIn?: string;
    }
  /** What cannot be saved, and why. */
  | { kind: 'skipped'; path: string; why: string };

/** Of the data directory itself: saved in another way, or of use only here and now. */
const leftOut = new Set([
  'store',
  'spool',
  'control.sock',
  'maildrop',
  'before-upgrade',
  'restore-unfinished',
]);

/** Of a mailbox, to see all that is in it. */
const mostReadings = 5;

/** The name that an undecodable one becomes. */
const undecodable = '\ufffd';

/** Everything but what is left out; paths are relative to the data directory. Rejects with the system's error. */
export async function* dataFiles(dataDir: string): AsyncIterable<DataEntry> {
  for (const entry of await entriesOf(dataDir))
    if (!leftOut.has(entry.name)) yield* below(dataDir, entry, entry.name);
}

/**
 * What programs have handed in. Any user of this machine can add to that directory: what is no message has no say in what a
 * snapshot holds, nor in whether it is complete.
 */
export async function* handedInFiles(dataDir: string): AsyncIterable<DataEntry> {
  const directory = relative(dataDir, maildropDirectory(dataDir));
  yield { kind: 'directory', path: directory };
  for (const entry of await entriesOf(join(dataDir, directory)))
    if (entry.isFile() && isHandedIn(entry.name))
      yield { kind: 'file', path: `${directory}/${entry.name}`, handedIn: entry.name };
}

async function* below(dataDir: string, entry: Dirent, path: string): AsyncIterable<DataEntry> {
  if (entry.name.includes(undecodable)) yield { kind: 'skipped', path, why: 'its name is not UTF-8' };
  else if (entry.isDirectory()) yield* inDirectory(dataDir, path);
  else if (entry.isFile()) yield { kind: 'file', path };
  else if (entry.isSymbolicLink())
    yield { kind: 'skipped', path, why: 'it is a symbolic link, which may lead anywhere' };
  // Sockets and pipes hold nothing.
}

async function* inDirectory(dataDir: string, path: string): AsyncIterable<DataEntry> {
  yield { kind: 'directory', path };
  const entries = await entriesOf(join(dataDir, path));
  const isMaildir =
    isMailbox(path) && ['new', 'cur'].every((part) => entries.some(({ name }) => name === part));
  for (const entry of entries) {
    const isPart = isMaildir && ['new', 'cur', 'tmp'].includes(entry.name);
    if (isPart) yield { kind: 'directory', path: `${path}/${entry.name}` };
    else yield* below(dataDir, entry, `${path}/${entry.name}`);
  }
  if (isMaildir) yield* messagesIn(dataDir, path);
}

const isMailbox = (path: string): boolean => path.startsWith('accounts/');

/** A file that is renamed while its directory is read may not be seen in it: so that is read again, until nothing new shows. */
async function* messagesIn(dataDir: string, folder: string): AsyncIterable<DataEntry> {
  const messages = new Map<string, Dirent & { path: string }>();
  for (let reading = 0, found = true; found && reading < mostReadings; reading++) {
    found = false;
    for await (const entry of inNewAndCur(dataDir, folder)) {
      const base = baseName(entry.name);
      found ||= !messages.has(base);
      messages.set(base, entry);
    }
  }
  for (const [base, entry] of messages) {
    const isMessage = entry.isFile() && !entry.name.includes(undecodable);
    if (isMessage) yield { kind: 'file', path: entry.path, message: { folder, base } };
    else yield* below(dataDir, entry, entry.path);
  }
}

/** `new/` first: that is the way that a message goes. */
async function* inNewAndCur(dataDir: string, folder: string): AsyncIterable<Dirent & { path: string }> {
  for (const part of ['new', 'cur'])
    for (const entry of await entriesOf(join(dataDir, folder, part)))
      yield Object.assign(entry, { path: `${folder}/${part}/${entry.name}` });
}

/** Where a message is now that was there a moment ago, under the name that it has now. Rejects with the system's error. */
export async function findMessage(
  dataDir: string,
  { folder, base }: { folder: string; base: string },
): Promise<string | undefined> {
  for await (const { name, path } of inNewAndCur(dataDir, folder)) if (baseName(name) === base) return path;
  return undefined;
}

/** Without flags (`:2,…`) and sizes (`,S=…`). */
export const baseName = (name: string): string => name.replace(/[:,].*$/s, '');

async function entriesOf(directory: string): Promise<Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (error) {
    // A mailbox that was removed meanwhile.
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
