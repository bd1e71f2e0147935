/** Where a command reads and writes, as a parameter: the process's own streams, or a test's. */

import { takePassedCount } from '../net/passed-sockets.ts';
import { findPredecessor, type Predecessor } from '../net/predecessor.ts';
import { askSecret } from './ask-secret.ts';
import { CommandError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Results. */
  out(text: string): void;
  /** Everything that is said about them. */
  err(text: string): void;
  /** Whether a person is there: to read what goes out, or to answer. */
  readonly outIsTty: boolean;
  readonly inIsTty: boolean;
  /** All of standard input, at most `limitBytes`; rejects when it is longer. */
  readInput(limitBytes: number): Promise<Buffer>;
  /** Asks for something that must not be seen on the screen. Only where `inIsTty`. */
  askSecret(question: string): Promise<string>;
  /** Aborted at the first SIGTERM or SIGINT; a second one ends the process as usual. */
  stopSignal(): AbortSignal;
  /** Does something at each of these signals, which would end the process otherwise; the returned function undoes that. */
  onSignal(name: 'SIGHUP' | 'SIGUSR2', action: () => void): () => void;
  /** How this process came about. Absent where there is none, in a test. */
  readonly origin?: Origin;
}

export interface Origin {
  pid: number;
  /** By which another one like it is started. */
  command: readonly string[];
  /** Listening sockets that it was given. */
  passed: number;
  /** Absent for one that takes over from nobody. */
  predecessor: Predecessor | undefined;
}

export function processTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  return {
    env: process.env,
    cwd: process.cwd(),
    out: (text) => stdout.write(text),
    err: (text) => stderr.write(text),
    outIsTty: stdout.isTTY === true,
    inIsTty: stdin.isTTY === true,
    readInput: (limitBytes) => readAll(stdin, limitBytes),
    askSecret: (question) => askSecret(question, stdin, stderr),
    stopSignal,
    onSignal(name, action) {
      process.on(name, action);
      return () => process.off(name, action);
    },
    origin: {
      pid: process.pid,
      command: [process.execPath, ...process.execArgv, ...process.argv.slice(1)],
      passed: takePassedCount(process.env, process.pid),
      predecessor: findPredecessor(process),
    },
  };
}

/** Throws a CommandError where there is more. */
export async function readAll(
  input: AsyncIterable<Buffer>,
  limitBytes: number,
  name = 'standard input',
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of input) {
    length += chunk.length;
    if (length > limitBytes) {
      throw new CommandError(exitCodes.badData, `${name} is longer than ${limitBytes} octets. Send less.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A signal told twice at once is one: npm passes on to its script the Ctrl-C that the terminal has sent to both. */
const echoMs = 500;

function stopSignal(): AbortSignal {
  const controller = new AbortController();
  let firstMs: number | undefined;
  const stop = (signal: NodeJS.Signals) => {
    firstMs ??= performance.now();
    controller.abort(signal);
    if (performance.now() - firstMs < echoMs) return;
    process.off('SIGTERM', stop).off('SIGINT', stop);
    process.kill(process.pid, signal);
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  return controller.signal;
}
