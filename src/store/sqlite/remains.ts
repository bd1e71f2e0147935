/**
 * What speaks of a store that is not there. A data directory without a database looks like a new one; but a spool file
 * with octets belongs to a message that some database knew, and once there is a store, a mark beside its folder says so.
 */

import { readdirSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncDirectory } from '../directory-sync.ts';
import { errorCode, isDiskFull, StoreOpenError } from '../errors.ts';
import { spoolDirectory } from '../spool.ts';
import { type Damage, describeDamage } from './pages/damage.ts';
import { ownedLikeDirectory } from './pages/ownership.ts';
import { storeFiles } from './store-files.ts';

/** For whoever finds the file. */
const markText =
  'There is a store here, in store/. Where that is missing, so is mail: see posthorn store check.\n';

/** Not in `store/`, so that it stays when that is gone. */
/** There in every data directory that has a store, or had one. */
export const storeMark = (dataDir: string): string => join(dataDir, 'has-store');

/** In a data directory of which a restore has not come to its end: no server may start there. */
export const unfinishedRestore = (dataDir: string): string => join(dataDir, 'restore-unfinished');

/** Durable when it resolves. Rejects with the system's error. */
export async function markUnfinished(dataDir: string, snapshot: string): Promise<void> {
  await using file = await open(unfinishedRestore(dataDir), 'w', 0o600);
  await file.writeFile(`The snapshot ${snapshot} is being restored here. Run posthorn restore again.\n`);
  await file.sync();
  await syncDirectory(dataDir);
}

/** Throws a StoreOpenError where not all of a snapshot may be here. */
export function refuseUnfinished(dataDir: string): void {
  if (sizeOfEntry(unfinishedRestore(dataDir)) === undefined) return;
  throw new StoreOpenError(
    'unfinished',
    `data directory ${dataDir} holds a part of a snapshot: a restore into it did not come to its end. Run posthorn restore again; ` +
      'it begins anew by itself',
  );
}

/** None where there may be a new store. Throws the system's error. */
export function findRemains(dataDir: string): Damage[] {
  const spool = spoolDirectory(dataDir);
  const mark = storeMark(dataDir);
  const files = namesIn(spool).filter((name) => (sizeOfEntry(join(spool, name)) ?? 0) > 0).length;
  const database = storeFiles(dataDir).database;
  return [
    ...(files > 0 ? [{ file: spool, what: `holds messages in files (${files}) that ${database} knew` }] : []),
    ...(sizeOfEntry(mark) === undefined
      ? []
      : [{ file: mark, what: `says that there was a store, but there is no ${database}` }]),
  ];
}

/** Refuses to make a new store in the place of one that is lost; `afresh` where only messages count, and no mark. */
export function refuseRemains(dataDir: string, afresh: boolean): void {
  const remains = findRemains(dataDir).filter(({ file }) => !(afresh && file === storeMark(dataDir)));
  if (remains.length === 0) return;
  const list = remains.map((one) => `  ${one.file}: ${describeDamage(one)}\n`).join('');
  throw new StoreOpenError(
    'damaged',
    `data directory ${dataDir} has lost its store, and with it the queue and the accounts:\n${list}` +
      `If it lies elsewhere, put ${storeFiles(dataDir).directory} back. Else bring out what is left ` +
      '(posthorn store salvage --to DIRECTORY), and to begin anew, move the above away',
  );
}

/** To be called once there is a store, durably. Rejects with the system's error, unless the disk is full. */
export async function markStore(dataDir: string): Promise<void> {
  const path = storeMark(dataDir);
  if (sizeOfEntry(path) !== undefined) return;
  try {
    await using file = await open(path, 'w', 0o600);
    ownedLikeDirectory(path);
    await file.writeFile(markText);
    await file.sync();
  } catch (error) {
    // The next start tries again.
    if (!isDiskFull(error)) throw error;
  }
  await syncDirectory(dirname(path));
}

function namesIn(directory: string): string[] {
  return unlessMissing(() => readdirSync(directory)) ?? [];
}

/** Octets, of a directory too; undefined where nothing is there. Throws the system's error. */
export function sizeOfEntry(path: string): number | undefined {
  return unlessMissing(() => statSync(path).size);
}

function unlessMissing<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
