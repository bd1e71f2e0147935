/** A file that is replaced whole: whoever reads it, and a machine that starts again, finds the old one or the new one. */

import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Resolves when it is on disk. Rejects with the system's error; then the old one is still there. */
export async function replaceFile(path: string, content: string | Buffer, mode: number): Promise<void> {
  const draft = `${path}.new`;
  await rm(draft, { force: true }); // of a run that was cut short
  try {
    await using file = await open(draft, 'wx', mode);
    await file.writeFile(content);
    await file.sync();
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await rename(draft, path);
  await using directory = await open(dirname(path), 'r');
  await directory.sync();
}
