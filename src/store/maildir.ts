/**
 * Delivery into a Maildir: written to `tmp/`, synced, renamed into `new/`, directory synced. The name derives from the
 * job, so that an attempt of which the end is not known can look whether it came to its end. Sizes stand in the name
 * (`,S=` in octets of the file, `,W=` with CRLF line ends; Dovecot's convention). Reading is in mailbox.ts.
 * Format: https://cr.yp.to/proto/maildir.html; folders: Maildir++.
 */

import * as fs from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { createDirectory, syncDirectory } from './directory-sync.ts';
import { DamagedContentError, errorCode, isDiskFull } from './errors.ts';
import { crlfToLf, missingCrs } from './line-ends.ts';
import { orRemove } from './or-remove.ts';

// Descriptors instead of FileHandles: less CPU time and less garbage per delivered message.
const open = promisify(fs.open);
const write = promisify(fs.write);
const fsync = promisify(fs.fsync);
const close = promisify(fs.close);
const rename = promisify(fs.rename);

/** Octets gathered before they are written. */
const writeBytes = 64 * 1024;

export interface MaildirDelivery {
  /** The Maildir's own path, from maildirPath(). */
  maildir: string;
  folder: 'Inbox' | 'Junk';
  queueId: string;
  /** The job's number within its message. */
  number: number;
  /** When the message was accepted, ms since the epoch: the first part of the name, by which mailboxes are sorted. */
  acceptedAt: number;
  hostname: string;
  /** The end of an earlier attempt is not known: look first whether the file is there. */
  inDoubt: boolean;
  /** The whole message, prepended fields included, CRLF line ends. */
  octets: Iterable<Buffer> | AsyncIterable<Buffer>;
}

export type MaildirOutcome =
  /** `file` is the path in `new/` (or where an earlier attempt's file lies now, if `repeated`). */
  | { kind: 'delivered'; file: string; repeated: boolean }
  /** ENOSPC or EDQUOT. */
  | { kind: 'full'; text: string }
  /** The octets of the message are not those that were accepted. */
  | { kind: 'damaged'; text: string }
  /** Any other error of the file system. */
  | { kind: 'failed'; text: string };

/** `<dataDir>/accounts/<u@d>/Maildir`. */
export function maildirPath(dataDir: string, account: string): string {
  return join(dataDir, 'accounts', directoryName(account), 'Maildir');
}

/** An address as one path component: lower-case, NFC; what a file system cannot or must not see is percent-encoded. */
function directoryName(account: string): string {
  const encode = (text: string) => [...Buffer.from(text)].map((octet) => `%${hex(octet)}`).join('');
  return account
    .toLowerCase()
    .normalize('NFC')
    .replace(/[/%\p{Cc}]|^\./gu, encode);
}

const hex = (octet: number): string => octet.toString(16).toUpperCase().padStart(2, '0');

/** Resolves when the message is in the mailbox, durably. Rejects only with errors of `octets` that are not the system's. */
export async function deliver(delivery: MaildirDelivery): Promise<MaildirOutcome> {
  try {
    return await deliverOnce(delivery);
  } catch (error) {
    return outcomeOf(error);
  }
}

/** What an error of the file system means for a delivery. Throws what is none. */
export function outcomeOf(error: unknown): MaildirOutcome {
  if (errorCode(error) === undefined) throw error;
  if (error instanceof DamagedContentError) return { kind: 'damaged', text: error.message };
  return { kind: isDiskFull(error) ? 'full' : 'failed', text: `${error}${forbiddenRemedy(error)}` };
}

/** Maildirs that were brought from elsewhere belong to whoever brought them. */
function forbiddenRemedy(error: unknown): string {
  if (errorCode(error) !== 'EACCES' || !(error instanceof Error) || !('path' in error)) return '';
  const [mailbox] = /^.*\/accounts\/[^/]+/.exec(String(error.path)) ?? [];
  if (mailbox === undefined) return '';
  return `. All of it must belong to the user that the server runs as: chown -R ${process.getuid?.()} ${mailbox}`;
}

async function deliverOnce(delivery: MaildirDelivery): Promise<MaildirOutcome> {
  const folder = folderPath(delivery);
  const name = uniqueName(delivery);
  const earlier = delivery.inDoubt ? await findDelivered(folder, name) : undefined;
  if (earlier !== undefined) return { kind: 'delivered', file: earlier, repeated: true };
  const draft = join(folder, 'tmp', name);
  const descriptor = await openDraft(draft, folder, delivery);
  const file = await orRemove(draft, async () => {
    const sizes = await writeDraft(descriptor, delivery.octets);
    const finished = join(folder, 'new', sizedName(name, sizes));
    await rename(draft, finished);
    return finished;
  });
  await keepName(file, syncDirectory(join(folder, 'new')));
  return { kind: 'delivered', file, repeated: false };
}

/**
 * Waits for the directory of a new file to be synced. After a sync that failed another one proves nothing, so the file goes:
 * the next attempt writes it anew.
 */
export function keepName(file: string, synced: Promise<void>): Promise<void> {
  return orRemove(file, () => synced);
}

/** What names a delivery, and its place. */
export type DeliveryName = Omit<MaildirDelivery, 'octets' | 'inDoubt'>;

export function folderPath({ folder, maildir }: DeliveryName): string {
  return folder === 'Junk' ? join(maildir, '.Junk') : maildir;
}

/** `seconds.delivery.host` as Maildir asks, the middle part being the job's name. */
export function uniqueName({ acceptedAt, queueId, number, hostname }: DeliveryName): string {
  const host = hostname.replaceAll('/', '\\057').replaceAll(':', '\\072').replaceAll(',', '\\054');
  return `${Math.floor(acceptedAt / 1000)}.${queueId}_${number}.${host}`;
}

/** Octets of the file, and of the same lines with CRLF. */
export interface FileSizes {
  size: number;
  wireSize: number;
}

export const sizedName = (name: string, { size, wireSize }: FileSizes): string =>
  `${name},S=${size},W=${wireSize}`;

/** The earlier attempt's file, durable: its directory may not have been synced before the crash. */
async function findDelivered(folder: string, name: string): Promise<string | undefined> {
  for (const part of ['new', 'cur']) {
    const directory = join(folder, part);
    const file = (await namesIn(directory)).find((candidate) => candidate.startsWith(`${name},`));
    if (file === undefined) continue;
    await syncDirectory(directory);
    return join(directory, file);
  }
  return undefined;
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Opens the file in `tmp/`, over what an interrupted attempt left; the first delivery makes the directories. */
async function openDraft(draft: string, folder: string, { maildir }: MaildirDelivery): Promise<number> {
  try {
    return await open(draft, 'w', 0o600);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    await createMaildir(maildir);
    if (folder !== maildir) await createFolder(folder);
    return open(draft, 'w', 0o600);
  }
}

/**
 * Creates the Maildir (harmless if it exists), durably. `tmp/` comes last: where a delivery finds it, all the rest is
 * there and on disk, whenever this was interrupted before. Rejects with the system's error.
 */
export async function createMaildir(maildir: string): Promise<void> {
  const parts = ['new', 'cur', 'tmp'].map((part) => join(maildir, part));
  for (const directory of [dirname(maildir), maildir, ...parts]) await createDirectory(directory);
}

async function createFolder(folder: string): Promise<void> {
  await createDirectory(folder);
  // Maildir++: tells delivery agents that this is a folder of the Maildir above.
  await writeFile(join(folder, 'maildirfolder'), '', { flag: 'a', mode: 0o600 });
  await createMaildir(folder);
}

async function writeDraft(descriptor: number, octets: MaildirDelivery['octets']): Promise<FileSizes> {
  try {
    const sizes = { size: 0, wireSize: 0 };
    let previous: number | undefined;
    for await (const lines of inWrites(octets)) {
      await writeAll(descriptor, lines);
      sizes.size += lines.length;
      sizes.wireSize += lines.length + missingCrs(lines, previous);
      previous = lines.at(-1) ?? previous;
    }
    await fsync(descriptor);
    return sizes;
  } finally {
    await close(descriptor);
  }
}

/**
 * With LF line ends, and small chunks joined, so that a message of usual size (prepended fields, then the content) is one
 * write. Each piece is to be used up before the next is asked for: a large message goes through one block of memory.
 */
async function* inWrites(octets: MaildirDelivery['octets']): AsyncIterable<Buffer> {
  const { convert, end } = crlfToLf();
  let block = Buffer.alloc(0);
  let chunks: Buffer[] = [];
  let length = 0;
  const joined = () => {
    // Besides the chunks an octet that was held back before, and at the end of all one that is held back still.
    if (block.length < length + 2) block = Buffer.allocUnsafe(length + 2);
    const used = chunks.reduce((at, chunk) => convert(chunk, block, at), 0);
    chunks = [];
    length = 0;
    return used;
  };
  for await (const chunk of octets) {
    chunks.push(chunk);
    length += chunk.length;
    if (length < writeBytes) continue;
    const used = joined(); // may make a new block
    yield block.subarray(0, used);
  }
  const rest = joined();
  yield block.subarray(0, end(block, rest));
}

async function writeAll(descriptor: number, octets: Buffer): Promise<void> {
  for (let rest = octets; rest.length > 0; ) {
    const { bytesWritten } = await write(descriptor, rest);
    rest = rest.subarray(bytesWritten);
  }
}
