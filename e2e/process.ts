/** Child processes: run to the end, or started and later stopped by their pid. Knows no mail word. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';

export interface RunOptions {
  /** Written to standard input, which is then closed. */
  input?: string | Buffer;
  /** Killed after this long; the result's `code` is then null. Default 30 s. */
  timeoutMs?: number;
  cwd?: string;
  env?: Record<string, string>;
}

export interface Finished {
  /** null if a signal ended it. */
  code: number | null;
  stdout: Buffer;
  stderr: string;
  /** Both as text, for messages and matching. */
  output: string;
}

/** Runs a command and waits for its end, whatever its exit code. Rejects if it cannot be started. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    timeout: options.timeoutMs ?? 30_000,
    killSignal: 'SIGKILL',
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on('error', () => {}); // A program need not read all of its input.
  child.stdin.end(options.input);
  const [code] = (await once(child, 'close')) as [number | null, string | null]; // Types of the 'close' event.
  const out = Buffer.concat(stdout);
  const err = Buffer.concat(stderr).toString();
  return { code, stdout: out, stderr: err, output: `${out.toString()}${err}` };
}

/** Like `run`, and rejects with the program's output unless it exits with 0. */
export async function runOk(
  command: string,
  args: readonly string[],
  options?: RunOptions,
): Promise<Finished> {
  const finished = await run(command, args, options);
  if (finished.code === 0) return finished;
  throw new Error(`${command} ${args.join(' ')} exited with ${finished.code}:\n${finished.output.trimEnd()}`);
}

export interface Running {
  pid: number;
  /** The exit code, or null after a signal. */
  exited: Promise<number | null>;
  /** The first line of standard output that fits; rejects if the process ends before it, or after 20 s. */
  line(pattern: RegExp): Promise<string>;
  /** Everything on standard output so far. */
  stdout(): string;
  /** Asks it to end and waits; after `graceMs` (default 10 s) it is killed, with all that it has started. */
  stop(graceMs?: number): Promise<number | null>;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
}

/** Sessions that must not outlive this process, however it ends. */
const sessions = new Set<number>();

process.on('exit', () => {
  for (const pid of sessions) process.kill(-pid, 'SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** Starts a long-running command in a session of its own; standard error goes to the end of `log`. */
export function start(command: string, args: readonly string[], log: string, cwd?: string): Running {
  const logFile = openSync(log, 'a');
  const child = spawn(command, args, { cwd, detached: true, stdio: ['ignore', 'pipe', logFile] });
  closeSync(logFile);
  child.once('error', () => {}); // A command that is not there has no pid, which is said at once.
  const { pid } = child;
  if (pid === undefined) throw new Error(`Cannot start ${command}: is it installed?`);
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  sessions.add(pid);
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      sessions.delete(pid);
      resolve(code);
    });
  });
  return {
    pid,
    exited,
    stdout: () => text,
    line: (pattern) => findLine(child, () => text, pattern, command),
    stop: async (graceMs = 10_000) => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => process.kill(-pid, 'SIGKILL'), graceMs);
      return exited.finally(() => clearTimeout(timer));
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

const lineLimitMs = 20_000;

function findLine(
  child: ChildProcess,
  text: () => string,
  pattern: RegExp,
  command: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const line = text()
        .split('\n')
        .find((each) => pattern.test(each));
      if (line !== undefined) resolve(line);
    };
    const giveUp = (why: string) => reject(new Error(`${command} ${why} before it said ${pattern}`));
    setTimeout(giveUp, lineLimitMs, `took ${lineLimitMs / 1000} s`).unref();
    child.stdout?.on('data', look);
    child.once('exit', (code, signal) => giveUp(`ended with ${code ?? signal}`));
    look();
  });
}
