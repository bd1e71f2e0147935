/**
 * Whether the recorder saw everything: all that it saw, made to a disk, must be the directory that is there now. A
 * system call that slipped past it would make every verdict worthless.
 */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFileRecord } from '../../recorder/log.ts';
import { Disk } from '../disk/disk.ts';
import { makeWhim } from '../disk/whim.ts';
import { wreck } from '../disk/wreck.ts';
import type { Recording } from '../recording.ts';

/** Rejects with the first difference. */
export async function checkRecording({ root, rootInode, records }: Recording): Promise<void> {
  const disk = new Disk(root, rootInode);
  for (const record of records) if (isFileRecord(record)) disk.apply(record);
  const { files, directories } = wreck(
    disk,
    makeWhim('everything landed', { seed: 0, moment: 0, newest: 0 }),
  );
  const found = await readdir(root, { recursive: true, withFileTypes: true });
  const names = found
    .filter((entry) => !entry.isSocket())
    .map(({ parentPath, name }) => join(parentPath, name));
  const modelled = [...directories, ...files.map(({ path }) => path)].map((path) => join(root, path));
  const [seen, there] = [new Set(modelled), new Set(names)];
  for (const path of names)
    if (!seen.has(path)) throw new Error(`The recorder missed how ${path} came to be`);
  for (const path of modelled)
    if (!there.has(path)) throw new Error(`The recorder missed where ${path} has gone`);
  for (const { path, image } of files)
    if (!Buffer.concat(image.pieces()).equals(await readFile(join(root, path))))
      throw new Error(`The recorder missed a change of ${path}`);
}
