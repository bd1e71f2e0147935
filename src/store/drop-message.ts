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

/** Hands a message in; on disk when it resolves, to its name. Rejects with the system's error: ENOENT where there is no maildrop. */
export async function dropMessage(
  directory: string,
  envelope: DroppedEnvelope,
  content: Buffer,
): Promise<string> {
  const name = `${Date.now().toString(36)}.${process.pid}.${randomBytes(16).toString('hex')}`;
  const [draft, path] = [join(directory, `tmp-${name}`), join(directory, `new-${name}`)];
  await using file = await open(draft, 'wx', 0o644);
  try {
    // Whatever the mask takes away.
    await file.chmod(0o644);
    await file.writeFile(`${JSON.stringify({ posthorn: 1, ...envelope })}\n`);
    await file.writeFile(content);
    await file.sync();
    await rename(draft, path);
    await file.sync();
  } catch (error) {
    await unlink(draft).catch(() => undefined); // it is not called `new-`: nobody takes it for a message
    throw error;
  }
  await syncDirectory(directory).catch((error: unknown) => {
    if (errorCode(error) !== 'EACCES') throw error;
  });
  return `new-${name}`;
}
