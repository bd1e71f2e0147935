/** Drops the backlog as an administrator would, and waits until the disk space is back. */

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Posthorn } from '../../e2e/peers/posthorn.ts';
import { run } from '../../e2e/process.ts';
import type { BenchContext } from '../bench.ts';
import { type Memory, withPeakMemory } from '../memory.ts';

export interface Dropped {
  dropMs: number;
  /** From the end of the command until the data directory grows smaller no more. */
  shrinkMs: number;
  bytesBefore: number;
  bytesAfter: number;
  /** While the command ran. */
  peak: Memory;
}

const dropLimitMs = 900_000;
const shrinkLimitMs = 900_000;
/** Two looks at the directory, and how many of them in a row must see no change. */
const lookEveryMs = 2_000;
const looksWithoutChange = 8;

/** `program` is the server's own. */
export async function dropAll(
  server: Posthorn,
  { program, log }: Pick<BenchContext, 'program' | 'log'>,
): Promise<Dropped> {
  const bytesBefore = await directoryBytes(server.dataDir);
  const startedAt = performance.now();
  const { peak } = await withPeakMemory(server.pid, () => drop(program, server.configFile));
  const droppedAt = performance.now();
  log(`  dropped in ${((droppedAt - startedAt) / 1000).toFixed(0)} s`);
  const { bytes, changedAt } = await lastSize(server.dataDir, droppedAt);
  return {
    dropMs: droppedAt - startedAt,
    shrinkMs: changedAt - droppedAt,
    bytesBefore,
    bytesAfter: bytes,
    peak,
  };
}

async function drop(program: string, configFile: string): Promise<void> {
  const { code, output } = await run(program, ['queue', 'drop', '--all', '--config', configFile], {
    timeoutMs: dropLimitMs,
  });
  if (code !== 0) throw new Error(`posthorn queue drop failed:\n${output.slice(-500)}`);
}

/** The size at which it stays, and since when. */
async function lastSize(directory: string, since: number): Promise<{ bytes: number; changedAt: number }> {
  let bytes = await directoryBytes(directory);
  let changedAt = since;
  for (let same = 0; same < looksWithoutChange && performance.now() - since < shrinkLimitMs; ) {
    await pause(lookEveryMs);
    const now = await directoryBytes(directory);
    if (now === bytes) same += 1;
    else {
      same = 0;
      changedAt = performance.now();
    }
    bytes = now;
  }
  return { bytes, changedAt };
}

/** What the directory's files take up on the disk. Files may go while it looks. */
async function directoryBytes(directory: string): Promise<number> {
  const names = await readdir(directory, { recursive: true });
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(directory, name)).then(
        ({ blocks }) => blocks * 512,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
