/** Every Maildir of a data directory as any program sees it: the files in `new/` and `cur/`. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FoundMail } from './findings.ts';

export function readMailboxes(dataDir: string): FoundMail[] {
  const accounts = join(dataDir, 'accounts');
  return namesIn(accounts).flatMap((account) =>
    ['new', 'cur'].flatMap((part) => {
      const directory = join(accounts, account, 'Maildir', part);
      return namesIn(directory).map((name) => ({
        account,
        name,
        octets: readFileSync(join(directory, name)),
      }));
    }),
  );
}

/** An absent directory is an empty one. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
