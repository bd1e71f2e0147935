/**
 * Runs a program of this machine: no shell, an environment of its own, octets on its standard input, a bounded part of
 * what it says, and a time after which it and its children are ended. Knows no mail word.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Clock } from '../util/clock.ts';

export interface ProgramRun {
  /** The path of a program, then its arguments as it gets them. */
  command: readonly string[];
  /** Read once. What it throws ends the run. */
  input: Iterable<Buffer> | AsyncIterable<Buffer>;
  timeoutMs: number;
  clock: Clock;
  /** Besides `PATH` and `LANG`. */
  env?: Readonly<Record<string, string>>;
  /** Ends the program too. */
  signal?: AbortSignal | undefined;
}

export type ProgramEnd =
  /** `output` is the beginning of what it said on both of its outputs. */
  | { kind: 'exited'; code: number; output: string }
  /** A signal that did not come from us. */
  | { kind: 'killed'; by: string; output: string }
  | { kind: 'timeout' | 'aborted'; output: string }
  /** It never ran. */
  | { kind: 'notStarted'; error: Error }
  /** The input could not be read to its end: the program was ended. */
  | { kind: 'badInput'; error: Error };

/** Octets of its output that are kept; the rest is read and forgotten, so that it does not block. */
export const maxOutputBytes = 8192;
/** Between the request to end and the end; and after that, until a program is left to itself that we cannot end. */
export const killAfterMs = 5000;
/** A child that it left behind may hold its outputs open: for this long they are still read. */
const lingerMs = 1000;

/** Nothing of ours: no secrets, no settings. */
const environment = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' };

type Stop = { kind: 'timeout' | 'aborted' } | { kind: 'badInput'; error: Error };

/** Never rejects. */
export async function runProgram(run: ProgramRun): Promise<ProgramEnd> {
  const [program = '', ...words] = run.command;
  try {
    // In a group of its own, so that what it has started is ended with it.
    const child = spawn(program, words, {
      env: { ...environment, ...run.env },
      cwd: '/',
      detached: true,
      stdio: 'pipe',
    });
    return await attend(child, run);
  } catch (error) {
    return { kind: 'notStarted', error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** Rejects where it never ran. */
async function attend(
  child: ChildProcess,
  { input, timeoutMs, clock, signal }: ProgramRun,
): Promise<ProgramEnd> {
  const output = collectOutput(child);
  let stop: Stop | undefined;
  let cancelKill: (() => void) | undefined;
  const givenUp = Promise.withResolvers<[code: null, by: null]>();
  const end = (reason: Stop) => {
    if (stop !== undefined) return;
    stop = reason;
    kill(child, 'SIGTERM');
    cancelKill = clock.after(killAfterMs, () => {
      kill(child, 'SIGKILL');
      cancelKill = clock.after(killAfterMs, () => givenUp.resolve([null, null]));
    });
  };
  const abort = () => end({ kind: 'aborted' });
  const cancelTimeout = clock.after(timeoutMs, () => end({ kind: 'timeout' }));
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  try {
    const exit = once(child, 'exit');
    void feed(child, input).catch((error: Error) => end({ kind: 'badInput', error }));
    const [code, by] = await Promise.race([exit, givenUp.promise]);
    child.stdin?.destroy();
    await drained(child, clock);
    return endOf(stop, { code, by, output: output() });
  } finally {
    cancelTimeout();
    cancelKill?.();
    signal?.removeEventListener('abort', abort);
  }
}

function endOf(
  stop: Stop | undefined,
  { code, by, output }: { code: number | null; by: string | null; output: string },
): ProgramEnd {
  if (stop?.kind === 'badInput') return stop;
  if (stop !== undefined) return { kind: stop.kind, output };
  return code === null ? { kind: 'killed', by: by ?? 'a signal', output } : { kind: 'exited', code, output };
}

/** A program need not read all that it is given (EPIPE). */
async function feed({ stdin }: ChildProcess, input: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<void> {
  if (!stdin) return;
  let isOpen = true;
  const closed = new Promise<void>((resolve) => stdin.once('close', resolve));
  stdin.on('error', () => {
    isOpen = false;
  });
  void closed.then(() => {
    isOpen = false;
  });
  for await (const chunk of input) {
    if (!isOpen) return;
    if (!stdin.write(chunk))
      await Promise.race([new Promise((resolve) => stdin.once('drain', resolve)), closed]);
  }
  if (isOpen) stdin.end();
}

function collectOutput({ stdout, stderr }: ChildProcess): () => string {
  const kept: Buffer[] = [];
  let left = maxOutputBytes;
  for (const stream of [stdout, stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      if (left > 0) kept.push(chunk.subarray(0, left));
      left -= Math.min(left, chunk.length);
    });
  }
  return () => Buffer.concat(kept).toString('utf8');
}

/** What it said last may come after its end. */
function drained({ stdout, stderr }: ChildProcess, clock: Clock): Promise<void> {
  const open = [stdout, stderr].flatMap((stream) => (!stream || stream.closed ? [] : [stream]));
  return new Promise((resolve) => {
    let waiting = open.length;
    const finish = () => {
      cancel();
      resolve();
    };
    const cancel = clock.after(lingerMs, () => {
      for (const stream of open) stream.destroy();
      finish();
    });
    if (waiting === 0) finish();
    for (const stream of open)
      stream.once('close', () => {
        waiting -= 1;
        if (waiting === 0) finish();
      });
  });
}

/** The whole group. It may be gone already, or belong to somebody else: a program may change its user (sudo). */
function kill({ pid }: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}
