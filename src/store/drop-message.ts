/**
 * A message handed in by any user of this machine: a file in the maildrop (maildrop.ts has what that is). Written, synced,
 * renamed, and synced again, which on ext4, XFS and Btrfs makes the renaming durable too: whoever may not list a directory may
 * not sync it either. Loads next to nothing: programs wait for it.
 */

import { randomBytes } from 'node:crypto';
import { open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from './directory-sync.ts';
import { errorCode } from './errors.ts';

export const maildropDirectory = (dataDir: string): string => join(dataDir, 'maildrop');

export interface DroppedEnvelope {
  /** What its sender asked for, if anything; '' is the null sender. Without a domain: of this machine. */
  from?: string;
  /** The same holds for their domains. */
  recipients: string[];
  /** For people. */
  fullName?: string;
}

const isWhole = 'new-';

/** Of a message, whichever way it comes in: by its name the server knows it again. Begins with the time. */
export const messageName = (): string =>
  `${isWhole}${Date.now().toString(36)}.${process.pid}.${randomBytes(16).toString('hex')}`;

/** What it looks like. */
export const messageNamePattern: RegExp = /^new-[0-9a-z]+\.\d+\.[0-9a-f]{32}$/;

/** Of one that was set aside, too (maildrop.ts). */
export const isHandedIn = (name: string): boolean =>
  messageNamePattern.test(name.replace(/^unsent-/, isWhole));

/** When it was handed in, by its name, in ms since the epoch. */
export const handedInAt = (name: string): number => Number.parseInt(name.slice(isWhole.length), 36) || 0;

/** Hands a message in under its name; on disk when it resolves. Rejects with the system's error: ENOENT where there is no maildrop. */
export async function dropMessage(
  directory: string,
  name: string,
  { envelope, content }: { envelope: DroppedEnvelope; content: Buffer },
): Promise<void> {
  const [draft, path] = [join(directory, `tmp-${name.slice(isWhole.length)}`), join(directory, name)];
  await using file = await open(draft, 'wx', 0o644);
  try {
    // Whatever the mask takes away.
    await file.chmod(0o644);
    await file.writeFile(`${JSON.stringify({ posthorn: 1, ...envelope })}\n`);
    await file.writeFile(content);
    await file.sync();
    await rename(draft, path);
    await file.sync();
    await syncDirectory(directory).catch((error: unknown) => {
      if (errorCode(error) !== 'EACCES') throw error;
    });
  } catch (error) {
    // Whoever hears that it failed hands it in again. What the server has taken meanwhile is not there any more.
    for (const left of [draft, path]) await unlink(left).catch(() => undefined);
    throw error;
  }
}
