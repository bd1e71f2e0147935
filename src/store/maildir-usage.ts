/**
 * How much mail lies in a Maildir, in octets of its files, those of its folders (Maildir++: `.Name`) included. Names tell
 * sizes (`,S=`), so that files are looked at only where another program has named them; it costs a directory's length.
 */

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from './errors.ts';

/** Files without their size in their name that are looked at at once. */
const lookedAtAtOnce = 16;

/** A size in a name that more digits have is none. */
const toldSize = /,S=(\d{1,15})(?!\d)/;

/** A Maildir that is not there yet is empty. */
export async function maildirUsage(maildir: string): Promise<number> {
  const entries = await listed(maildir);
  const folders = entries.filter((name) => name.startsWith('.') && name !== '.' && name !== '..');
  let bytes = 0;
  for (const root of [maildir, ...folders.map((name) => join(maildir, name))])
    for (const part of ['new', 'cur']) bytes += await usageOf(join(root, part));
  return bytes;
}

async function usageOf(directory: string): Promise<number> {
  const untold: string[] = [];
  let bytes = 0;
  for (const name of await listed(directory)) {
    const told = toldSize.exec(name)?.[1];
    if (told !== undefined) bytes += Number(told);
    else if (!name.startsWith('.')) untold.push(join(directory, name));
  }
  for (let start = 0; start < untold.length; start += lookedAtAtOnce) {
    const sizes = await Promise.all(untold.slice(start, start + lookedAtAtOnce).map(sizeOf));
    for (const size of sizes) bytes += size;
  }
  return bytes;
}

/** Nothing of what another program has taken away meanwhile, or of a file where a folder would be. */
const isAbsent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '');

async function listed(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : 0;
  } catch (error) {
    if (isAbsent(error)) return 0;
    throw error;
  }
}
