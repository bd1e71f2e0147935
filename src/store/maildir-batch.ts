/**
 * Delivery of many small messages at once, as maildir.ts delivers one: all are written, all are synced, all get their names
 * in `new/`, and each directory is synced once. In step the syncs share the file system's commits, which is most of what
 * a delivery costs. Waits for the disk as it writes, so it belongs on a thread of its own.
 */

import * as fs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errorCode } from './errors.ts';
import { crlfToLf, missingCrs } from './line-ends.ts';
import {
  type DeliveryName,
  deliver,
  type FileSizes,
  folderPath,
  keepName,
  type MaildirOutcome,
  outcomeOf,
  sizedName,
  uniqueName,
} from './maildir.ts';
import { orRemove } from './or-remove.ts';

const fsync = promisify(fs.fsync);

export interface SmallDelivery extends DeliveryName {
  /** The whole message, prepended fields included, CRLF line ends. */
  bytes: Uint8Array;
}

/** A file in `tmp/`, and the name that it is to have. */
interface Draft {
  descriptor: number;
  path: string;
  file: string;
  directory: string;
}

/**
 * Resolves when every message is in its mailbox, durably, or has failed: an outcome each, in their order. Nothing is known
 * of earlier attempts: who may have been delivered already goes through maildir.ts.
 */
export async function deliverBatch(deliveries: readonly SmallDelivery[]): Promise<MaildirOutcome[]> {
  const written = await Promise.all(deliveries.map(tryToWrite));
  const synced = await Promise.all(written.map((draft) => andThen(draft, syncDraft)));
  const named = await Promise.all(synced.map((draft) => andThen(draft, moveDraft)));
  // All names are there before the first directory is synced, so one sync serves all that it holds.
  const directories = await syncDirectories(named);
  const outcomes = await Promise.all(
    named.map((draft) => (isOutcome(draft) ? draft : orOutcome(() => confirm(draft, directories)))),
  );
  return Promise.all(
    outcomes.map((outcome, index) => (outcome === missing ? deliverFirst(deliveries[index]) : outcome)),
  );
}

/** Stands for: the Maildir is not there yet. */
const missing: MaildirOutcome = { kind: 'failed', text: 'no such Maildir' };

const isOutcome = (value: Draft | MaildirOutcome): value is MaildirOutcome => 'kind' in value;

async function tryToWrite(delivery: SmallDelivery): Promise<Draft | MaildirOutcome> {
  try {
    return await writeDraft(delivery);
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? missing : outcomeOf(error);
  }
}

/** A step on the way to `new/`: where it fails, nothing is left in `tmp/`. */
async function andThen<T>(
  draft: Draft | MaildirOutcome,
  step: (draft: Draft) => T | Promise<T>,
): Promise<T | MaildirOutcome> {
  if (isOutcome(draft)) return draft;
  return orOutcome(() => orRemove(draft.path, () => step(draft)));
}

async function orOutcome<T>(action: () => Promise<T>): Promise<T | MaildirOutcome> {
  try {
    return await action();
  } catch (error) {
    return outcomeOf(error);
  }
}

/** Written, not synced. */
async function writeDraft(delivery: SmallDelivery): Promise<Draft> {
  const folder = folderPath(delivery);
  const name = uniqueName(delivery);
  const path = join(folder, 'tmp', name);
  const descriptor = fs.openSync(path, 'w', 0o600);
  const sizes = await orRemove(path, () => writeOrClose(descriptor, delivery.bytes));
  const directory = join(folder, 'new');
  return { descriptor, path, file: join(directory, sizedName(name, sizes)), directory };
}

function writeOrClose(descriptor: number, octets: Uint8Array): FileSizes {
  try {
    return writeLines(descriptor, octets);
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  }
}

function writeLines(descriptor: number, octets: Uint8Array): FileSizes {
  const bytes = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
  const { convert, end } = crlfToLf();
  const target = Buffer.allocUnsafe(bytes.length + 1);
  const lines = target.subarray(0, end(target, convert(bytes, target, 0)));
  for (let written = 0; written < lines.length; ) written += fs.writeSync(descriptor, lines, written);
  return { size: lines.length, wireSize: lines.length + missingCrs(lines, undefined) };
}

async function syncDraft(draft: Draft): Promise<Draft> {
  try {
    await fsync(draft.descriptor);
    return draft;
  } finally {
    fs.closeSync(draft.descriptor);
  }
}

function moveDraft(draft: Draft): Draft {
  fs.renameSync(draft.path, draft.file);
  return draft;
}

/** A directory's sync that takes longer did not find its changes in a commit that had been made already. */
const quickSyncMs = 1;

/**
 * Syncs the directory of each draft once; resolves to how that went. Where the file system writes one journal for all, the
 * first sync serves the others too: they are back at once, and cost more on their way to another thread. Where one is not,
 * the rest goes there.
 */
async function syncDirectories(
  drafts: readonly (Draft | MaildirOutcome)[],
): Promise<Map<string, Promise<void>>> {
  const synced = new Map<string, Promise<void>>();
  let isQuick = true;
  for (const draft of drafts) {
    if (isOutcome(draft) || synced.has(draft.directory)) continue;
    const startedAt = performance.now();
    synced.set(
      draft.directory,
      isQuick ? syncHere(draft.directory, fs.fsyncSync) : syncHere(draft.directory, fsync),
    );
    isQuick &&= synced.size === 1 || performance.now() - startedAt < quickSyncMs;
  }
  await Promise.allSettled(synced.values());
  return synced;
}

/** As syncDirectory(), but what does not wait for the disk is done here. */
async function syncHere(
  directory: string,
  sync: (descriptor: number) => void | Promise<void>,
): Promise<void> {
  const descriptor = fs.openSync(directory, 'r');
  try {
    await sync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

async function confirm(
  { directory, file }: Draft,
  synced: ReadonlyMap<string, Promise<void>>,
): Promise<MaildirOutcome> {
  await keepName(file, synced.get(directory) ?? Promise.reject(new Error(`${directory} was not synced`)));
  return { kind: 'delivered', file, repeated: false };
}

/** The first message of a mailbox makes its directories. */
async function deliverFirst(delivery: SmallDelivery | undefined): Promise<MaildirOutcome> {
  if (delivery === undefined) return missing;
  const { bytes, ...name } = delivery;
  return deliver({ ...name, inDoubt: false, octets: [Buffer.from(bytes)] });
}
