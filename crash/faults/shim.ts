/** A disk that fails when told to: compiles shim.c and steers it while a program runs under it. */

import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { runOk } from '../../e2e/process.ts';
import type { World } from '../../e2e/world.ts';

export type DiskOperation = 'write' | 'sync';

export interface FailingDisk {
  /** To be put before a command. */
  readonly inside: readonly string[];
  /**
   * From now on this fails with EIO for files whose path contains `path` (or ends in it, if it ends in `$`), while
   * `action` runs. Rejects if not a single call was made to fail: then nothing has been shown.
   */
  failing<T>(operation: DiskOperation, path: string, action: () => Promise<T>): Promise<T>;
}

/** As in `struct control` of shim.c. */
const controlBytes = 512;
const pathOffset = 8;
const codes: Readonly<Record<DiskOperation | 'nothing', number>> = { nothing: 0, write: 1, sync: 2 };

export async function failingDisk(world: World): Promise<FailingDisk> {
  const library = world.path('shim.so');
  const source = join(import.meta.dirname, 'shim.c');
  await runOk('gcc', ['-shared', '-fPIC', '-O2', '-Wall', '-Werror', '-o', library, source, '-ldl']);
  const file = world.path('shim-control');
  writeFileSync(file, Buffer.alloc(controlBytes));
  const control = openSync(file, 'r+');
  world.atEnd(async () => closeSync(control));
  return {
    inside: ['env', `LD_PRELOAD=${library}`, `POSTHORN_FAULT_CONTROL=${file}`],
    async failing(operation, path, action) {
      arm(control, operation, path);
      try {
        const result = await action();
        if (failedCalls(control) === 0) throw new Error(`no ${operation} of ${path} was intercepted`);
        return result;
      } finally {
        writeSync(control, uint32(codes.nothing), 0, 4, 0);
      }
    },
  };
}

/** What fails comes last: until then the shim does not look at the rest. */
function arm(control: number, operation: DiskOperation, path: string): void {
  const pattern = Buffer.alloc(controlBytes - pathOffset);
  pattern.write(path);
  writeSync(control, pattern, 0, pattern.length, pathOffset);
  writeSync(control, uint32(0), 0, 4, 4);
  writeSync(control, uint32(codes[operation]), 0, 4, 0);
}

function failedCalls(control: number): number {
  const count = Buffer.alloc(4);
  readSync(control, count, 0, 4, 4);
  return count.readUInt32LE();
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
