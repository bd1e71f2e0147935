/** Removes spool files that no message names any more, behind the back of the operations that found out. */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface SpoolRemoval {
  /** Begins to remove the files; one that cannot be removed is told to `warn` and goes at the next start. */
  remove(names: readonly string[]): void;
  /** Resolves when nothing is under way. */
  settled(): Promise<void>;
}

export function createSpoolRemoval(directory: string, warn: (text: string) => void): SpoolRemoval {
  const running = new Set<Promise<void>>();

  function removeOne(name: string): void {
    const removal: Promise<void> = rm(join(directory, name), { force: true })
      .catch((error: unknown) => warn(`Cannot remove spool file ${name}: ${String(error)}`))
      .finally(() => running.delete(removal));
    running.add(removal);
  }

  return {
    remove: (names) => names.forEach(removeOne),
    async settled() {
      await Promise.all(running);
    },
  };
}
