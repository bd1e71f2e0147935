/** A folder for the time of a run: gone when it ends, also by a signal, unless it is kept for somebody to look at. */

import { rmSync } from 'node:fs';
import { mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Scratch extends Disposable {
  /** Without symbolic links. */
  readonly path: string;
  /** It stays. */
  keep(): void;
}

export async function scratch(prefix: string): Promise<Scratch> {
  const path = await realpath(await mkdtemp(join(tmpdir(), prefix)));
  const remove = () => rmSync(path, { recursive: true, force: true });
  process.once('exit', remove);
  let isKept = false;
  return {
    path,
    keep() {
      isKept = true;
      process.off('exit', remove);
    },
    [Symbol.dispose]() {
      process.off('exit', remove);
      if (!isKept) remove();
    },
  };
}
