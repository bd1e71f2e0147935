/**
 * Large message bodies as files of their own, so that they need not be held in memory or in the database. A file is
 * whole and durable before its name is given out; what a crash leaves behind is swept when the store opens.
 */

import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { MaybePromise } from '../util/maybe-promise.ts';
import { createDirectory, syncDirectory } from './directory-sync.ts';
import { errorCode } from './errors.ts';
import type { Content } from './store.ts';

/** What a queue id may look like as a file name; anything else would let a name leave the directory. */
const safeName = /^[0-9A-Za-z_-]+$/;

export interface SpoolWriter {
  /**
   * Appends; the chunk may be reused at once. Returns a promise where the disk must be waited for, before anything else
   * is asked. Rejects with the system's error (ENOSPC when the disk is full).
   */
  write(chunk: Buffer): MaybePromise<void>;
  /** Makes the file durable and gives it its name. Rejects like `write`; then `abort`. */
  commit(): Promise<Content>;
  /** Removes what was written. Harmless after a failure and after another abort; not to be used after commit. */
  abort(): Promise<void>;
}

export interface Spool {
  /** Opens a file for this message's octets. Rejects with the system's error. */
  begin(queueId: string): Promise<SpoolWriter>;
}

export const spoolDirectory = (dataDir: string): string => join(dataDir, 'spool');

export function createSpool(dataDir: string): Spool {
  const directory = spoolDirectory(dataDir);
  return {
    async begin(queueId) {
      if (!safeName.test(queueId)) throw new RangeError(`Cannot spool "${queueId}": not a queue id`);
      const path = join(directory, queueId);
      return writerFor(await openUnfinished(directory, `${path}.tmp`), path);
    },
  };
}

/** Removes every file that no message names: unfinished ones, and those whose transaction never came. */
export async function sweepSpool(dataDir: string, named: ReadonlySet<string>): Promise<number> {
  const directory = spoolDirectory(dataDir);
  const orphans = (await readdir(directory)).filter((name) => !named.has(name));
  for (const name of orphans) await rm(join(directory, name), { force: true });
  return orphans.length;
}

async function openUnfinished(directory: string, path: string): Promise<FileHandle> {
  try {
    return await open(path, 'w', 0o600);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    await createDirectory(directory);
    return open(path, 'w', 0o600);
  }
}

/**
 * What comes is copied into one block of memory and written from there. Hundreds of messages that stream in at once
 * would else each hold on to what was read from their sockets until the disk has it, long enough to be taken for
 * lasting by the garbage collector.
 */
const stageBytes = 96 * 1024;
const writeBytes = 32 * 1024;

function writerFor(file: FileHandle, path: string): SpoolWriter {
  const stage = Buffer.allocUnsafeSlow(stageBytes);
  let staged = 0;
  let sizeBytes = 0;
  let sum = 0;
  let isOpen = true;

  /** Returns what found no room. */
  function put(chunk: Buffer): Buffer {
    const copied = chunk.copy(stage, staged);
    staged += copied;
    sizeBytes += copied;
    return chunk.subarray(copied);
  }

  async function flush(): Promise<void> {
    const octets = stage.subarray(0, staged);
    sum = crc32(octets, sum);
    // writeFile() on a handle appends at its position and goes on after a short write.
    await file.writeFile(octets);
    staged = 0;
  }

  async function writeInParts(chunk: Buffer): Promise<void> {
    for (let rest = chunk; rest.length > 0; rest = put(rest)) await flush();
  }

  async function close(): Promise<void> {
    if (!isOpen) return;
    isOpen = false;
    await file.close();
  }

  return {
    write(chunk) {
      const rest = put(chunk);
      if (rest.length > 0) return writeInParts(rest);
      return staged < writeBytes ? undefined : flush();
    },
    async commit() {
      await flush();
      await file.sync();
      await close();
      await rename(`${path}.tmp`, path);
      await syncDirectory(dirname(path));
      return { kind: 'spool', path, sizeBytes, sum };
    },
    async abort() {
      await close();
      await rm(`${path}.tmp`, { force: true });
      await rm(path, { force: true });
    },
  };
}
