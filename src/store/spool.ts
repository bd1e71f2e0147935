/**
 * Large message bodies as files of their own, so that they need not be held in memory or in the database. A file is
 * whole and durable before its name is given out; what a crash leaves behind is swept when the store opens.
 */

import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createDirectory, syncDirectory } from './directory-sync.ts';
import type { Content } from './store.ts';

/** What a queue id may look like as a file name; anything else would let a name leave the directory. */
const safeName = /^[0-9A-Za-z_-]+$/;

export interface SpoolWriter {
  /** Appends; at most one call at a time. Rejects with the system's error (ENOSPC when the disk is full). */
  write(chunk: Buffer): Promise<void>;
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
  await createDirectory(directory);
  return open(path, 'w', 0o600);
}

function writerFor(file: FileHandle, path: string): SpoolWriter {
  let sizeBytes = 0;
  let isOpen = true;
  const close = async () => {
    if (!isOpen) return;
    isOpen = false;
    await file.close();
  };
  return {
    async write(chunk) {
      // writeFile() on a handle appends at its position and goes on after a short write.
      await file.writeFile(chunk);
      sizeBytes += chunk.length;
    },
    async commit() {
      await file.sync();
      await close();
      await rename(`${path}.tmp`, path);
      await syncDirectory(dirname(path));
      return { kind: 'spool', path, sizeBytes };
    },
    async abort() {
      await close();
      await rm(`${path}.tmp`, { force: true });
      await rm(path, { force: true });
    },
  };
}
