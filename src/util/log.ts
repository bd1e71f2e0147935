/**
 * The program's log: JSON lines on stderr (stdout belongs to the commands' results). One line per event; whatever
 * concerns a message carries its `queueId`. Never a body, never a secret.
 */

import { writeSync } from 'node:fs';
import {
  type DestinationStream,
  destination,
  type LevelWithSilent,
  type Logger,
  pino,
  stdTimeFunctions,
} from 'pino';

export type Log = Logger;
export type LogLevel = LevelWithSilent;

export const logLevels: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

const stderr = 2;

/** Lines wait so long for others: a write on another thread costs as much as ten lines. */
const gatherMs = 20;

/**
 * Makes a log. Lines go out together and from another thread, so that a slow terminal holds nobody up; what is left is
 * written when the process exits. One that is killed keeps its last lines to itself: dossiers are what is durable. `output`
 * is for tests.
 */
export function createLog(level: LogLevel = 'info', output?: DestinationStream): Log {
  const options = { level, base: null, timestamp: stdTimeFunctions.isoTime };
  toStderr ??= gathered();
  return pino(options, output ?? toStderr);
}

/** One for all logs of the process. */
let toStderr: DestinationStream | undefined;

function gathered(): DestinationStream {
  const lines = destination({ dest: stderr, sync: false });
  let waiting = '';
  const flush = () => {
    lines.write(waiting);
    waiting = '';
  };
  process.once('exit', () => writeRest(waiting));
  return {
    write(line) {
      if (waiting === '') setTimeout(flush, gatherMs).unref();
      waiting += line;
    },
  };
}

/** Once, whatever comes of it: where nobody reads the log, or its disk is full, the process must still end. */
function writeRest(lines: string): void {
  try {
    if (lines !== '') writeSync(stderr, lines);
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
  }
}
