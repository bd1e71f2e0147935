/** Builds the shim that makes every sync slower, and counts what it intercepted in a server's processes. */

import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensurePrograms } from '../e2e/packages.ts';
import { runOk } from '../e2e/process.ts';
import type { World } from '../e2e/world.ts';

export interface SlowSync {
  /** The environment that a server's processes need; with a counter of its own. */
  readonly environment: Readonly<Record<string, string>>;
  /** Syncs slowed down so far. */
  count(): Promise<number>;
}

/** Compiles the shim once per world; each call of the result is for one server. Rejects if there is no compiler. */
export async function buildSlowSync(
  world: World,
  delayUs: number,
): Promise<(name: string) => Promise<SlowSync>> {
  await ensurePrograms(['gcc']);
  const library = world.path('slow-sync.so');
  const source = join(import.meta.dirname, 'slow-sync.c');
  await runOk('gcc', ['-O2', '-Wall', '-Werror', '-shared', '-fPIC', '-o', library, source, '-ldl']);
  return async (name) => {
    const counter = world.path(`${name}-syncs`);
    await writeFile(counter, Buffer.alloc(8));
    await chmod(counter, 0o666); // A server's processes belong to several users.
    return {
      environment: {
        LD_PRELOAD: library,
        SLOW_SYNC_COUNTER: counter,
        SLOW_SYNC_US: String(delayUs),
      },
      count: async () => Number((await readFile(counter)).readBigUInt64LE()),
    };
  };
}

/** `NAME=value` for each, as env(1) and Postfix's import_environment take them. */
export const assignments = (environment: Readonly<Record<string, string>>): string[] =>
  Object.entries(environment).map(([name, value]) => `${name}=${value}`);
