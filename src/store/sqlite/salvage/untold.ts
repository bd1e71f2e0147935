/** What a salvage cannot count: messages of which nothing is left that could be found, not even their names. */

import type { StoreFiles } from '../store-files.ts';
import type { Images } from './images.ts';
import type { Scan } from './scan.ts';

/** Why there may be such messages, a sentence each; none where everything that was acknowledged is accounted for. */
export function reasonsForMore(
  files: StoreFiles,
  { damage, knowsLog, isLost }: Pick<Images, 'damage' | 'knowsLog' | 'isLost'>,
  { damagedPages }: Pick<Scan, 'damagedPages'>,
): string[] {
  // What is said of a whole file is that it lacks something, or is not the one that belongs here.
  const incomplete = damage
    .filter(({ file, page }) => page === undefined && file !== files.sums)
    .map(({ file, what }) => `${file} ${what}`);
  if (isLost) return [`${files.directory} has no database: whatever it held is gone`];
  const untold = knowsLog ? [] : [`nothing says whether the log is whole: ${files.note} is missing`];
  const pages = mayHideMessages([...damagedPages.values()])
    ? ['pages are damaged that may have had both messages and their recipients']
    : [];
  return [...incomplete, ...untold, ...pages];
}

/** A message is known by its own row or by those of its recipients, which lie on different pages. */
function mayHideMessages(owners: readonly (string | undefined)[]): boolean {
  const unknown = owners.filter((owner) => owner === undefined).length;
  const lacks = (table: string) => !owners.includes(table);
  return Number(lacks('messages')) + Number(lacks('jobs')) <= unknown;
}
