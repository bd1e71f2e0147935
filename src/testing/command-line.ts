/** For tests: a command line, run in this process as a shell would. */

import { run } from '../cli/run.ts';
import { systemClock } from '../util/clock.ts';

export interface CommandResult {
  exitCode: number;
  out: string;
  err: string;
}

/** Nothing comes in; where `outIsTty`, somebody looks on. */
export async function runCommand(
  args: readonly string[],
  { cwd, env = {}, outIsTty = false }: { cwd: string; env?: Record<string, string>; outIsTty?: boolean },
): Promise<CommandResult> {
  const result = { exitCode: -1, out: '', err: '' };
  const terminal = {
    env,
    cwd,
    outIsTty,
    inIsTty: false,
    out: (text: string) => (result.out += text),
    err: (text: string) => (result.err += text),
    readInput: async () => Buffer.alloc(0),
    askSecret: async () => '',
    stopSignal: () => new AbortController().signal,
    onSignal: () => () => undefined,
  };
  result.exitCode = await run(args, { terminal, clock: systemClock });
  return result;
}
