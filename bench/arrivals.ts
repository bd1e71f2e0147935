/** Where messages come out again, and how many have: counted so that it costs the machine under test next to nothing. */

import { mkdir, open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { ensurePrograms } from '../e2e/packages.ts';
import { start } from '../e2e/process.ts';
import { eventually, listening } from '../e2e/wait.ts';
import type { World } from '../e2e/world.ts';

export interface Arrivals {
  /** Messages that have come so far. */
  count(): Promise<number>;
  /** Resolves when so many have; rejects after `limitMs` (default 5 minutes). */
  reached(count: number, limitMs?: number): Promise<void>;
}

/** How long a server may take to pass on the rest, once everything is accepted. */
const drainMs = 300_000;

const waitFor =
  (count: Arrivals['count']): Arrivals['reached'] =>
  async (goal, limitMs = drainMs) => {
    const done = async () => (await count()) >= goal || undefined;
    await eventually('the last message to arrive', done, limitMs);
  };

export interface CountingSink extends Arrivals {
  readonly port: number;
  readonly pid: number;
}

/** smtp-sink(1). It rewrites one line for each message: into a file, where reading it costs next to nothing. */
export async function startCountingSink(world: World): Promise<CountingSink> {
  await ensurePrograms(['smtp-source', 'smtp-sink']);
  const port = await world.port();
  const file = world.path('sink-count');
  const privileges = process.getuid?.() === 0 ? '-u nobody' : '';
  const command = `exec smtp-sink ${privileges} -c 127.0.0.1:${port} 1000 > ${file}`;
  const running = start('sh', ['-c', command], world.watchLog(world.path('sink-log')));
  world.atEnd(() => running.stop());
  await listening(port);
  const count = () => lastCount(file);
  return { port, pid: running.pid, count, reached: waitFor(count) };
}

/** The last `mesg=N` in the counter's file. */
async function lastCount(file: string): Promise<number> {
  await using handle = await open(file);
  const { size } = await handle.stat();
  const tail = Buffer.alloc(Math.min(size, 200));
  await handle.read(tail, 0, tail.length, size - tail.length);
  return Number([...tail.toString().matchAll(/mesg=(\d+)\s/g)].at(-1)?.[1] ?? 0);
}

export interface Mailboxes extends Arrivals {
  /**
   * Moves away what has come, so that the next count is quick again. Not removed: ext4 without a journal looks at
   * each file lately removed when it makes a new one, so that it would be the next round's servers who pay for it.
   */
  empty(): Promise<void>;
}

/** The files in `new/` of Maildirs, which their first message may have to make. */
export function mailboxes(maildirs: readonly string[]): Mailboxes {
  const folders = maildirs.map((maildir) => join(maildir, 'new'));
  const count = async () => {
    const names = await Promise.all(folders.map(namesIn));
    return names.reduce((sum, { length }) => sum + length, 0);
  };
  const emptyOne = async (folder: string) => {
    const counted = join(folder, '..', 'counted');
    await mkdir(counted, { recursive: true });
    for (const name of await namesIn(folder)) await rename(join(folder, name), join(counted, name));
  };
  return {
    count,
    reached: waitFor(count),
    empty: async () => {
      await Promise.all(folders.map(emptyOne));
    },
  };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
