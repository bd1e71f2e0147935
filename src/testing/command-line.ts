/** For tests: a command line, run in this process as a shell would. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../cli/run.ts';
import { systemClock } from '../util/clock.ts';

export interface CommandResult {
  exitCode: number;
  out: string;
  err: string;
}

export interface CommandSurroundings {
  cwd: string;
  env?: Record<string, string>;
  /** Somebody looks on. */
  outIsTty?: boolean;
  /** What comes in, and what is given where a secret is asked for. */
  input?: string;
}

export async function runCommand(
  args: readonly string[],
  { cwd, env = {}, outIsTty = false, input = '' }: CommandSurroundings,
): Promise<CommandResult> {
  const result = { exitCode: -1, out: '', err: '' };
  const terminal = {
    env,
    cwd,
    outIsTty,
    inIsTty: false,
    out: (text: string) => (result.out += text),
    err: (text: string) => (result.err += text),
    readInput: async () => Buffer.from(input),
    askSecret: async () => input,
    stopSignal: () => new AbortController().signal,
    onSignal: () => () => undefined,
  };
  result.exitCode = await run(args, { terminal, clock: systemClock });
  return result;
}

export interface CommandStage extends Disposable {
  directory: string;
  /** Runs a command line there, with `input` on standard input. */
  posthorn(args: readonly string[], input?: string): Promise<CommandResult>;
}

/** A directory with the configuration of a small server, until it is disposed of. */
export function commandStage(): CommandStage {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-cli-'));
  writeFileSync(
    join(directory, 'posthorn.toml'),
    'hostname = "mx.example.com"\n[[domain]]\nname = "example.com"\n[limits]\nmessageBytes = 100000\n',
  );
  return {
    directory,
    posthorn: (args, input = '') => runCommand(args, { cwd: directory, input }),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  };
}
