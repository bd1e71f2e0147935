/** Postfix's own load generator and sink, smtp-source(1) and smtp-sink(1): the same hammer for every server. */

import { open } from 'node:fs/promises';
import { runOk, start } from '../e2e/process.ts';
import { eventually, listening } from '../e2e/wait.ts';
import type { World } from '../e2e/world.ts';

export interface LoadOptions {
  messages: number;
  /** Octets of each message's body. */
  sizeBytes: number;
  /** Connections at once, each used for message after message. */
  sessions: number;
}

/** Sends them all; resolves when the last one is acknowledged. */
export async function sendLoad(port: number, { messages, sizeBytes, sessions }: LoadOptions): Promise<void> {
  const counts = ['-s', String(sessions), '-m', String(messages), '-l', String(sizeBytes)];
  const envelope = ['-f', 'sender@example.org', '-t', 'recipient@example.net'];
  await runOk('smtp-source', ['-d', ...counts, ...envelope, `127.0.0.1:${port}`], { timeoutMs: 600_000 });
}

export interface CountingSink {
  readonly port: number;
  /** Messages taken so far. */
  count(): Promise<number>;
  /** Resolves when so many have been taken. */
  reached(count: number): Promise<void>;
}

/** How long a relay may take to pass on the rest, once everything is accepted. */
const drainMs = 300_000;

/** It rewrites one line for each message; into a file, where reading it costs the machine under test nothing. */
export async function startCountingSink(world: World): Promise<CountingSink> {
  const port = await world.port();
  const file = world.path('sink-count');
  const command = `exec smtp-sink -u nobody -c 127.0.0.1:${port} 1000 > ${file}`;
  const running = start('sh', ['-c', command], world.watchLog(world.path('sink-log')));
  world.atEnd(() => running.stop());
  await listening(port);
  const count = () => lastCount(file);
  return {
    port,
    count,
    reached: async (goal) => {
      await eventually(
        `${goal} messages at the sink`,
        async () => (await count()) >= goal || undefined,
        drainMs,
      );
    },
  };
}

/** The last `mesg=N` in the counter's file. */
async function lastCount(file: string): Promise<number> {
  await using handle = await open(file);
  const { size } = await handle.stat();
  const tail = Buffer.alloc(Math.min(size, 200));
  await handle.read(tail, 0, tail.length, size - tail.length);
  return Number([...tail.toString().matchAll(/mesg=(\d+)\s/g)].at(-1)?.[1] ?? 0);
}
