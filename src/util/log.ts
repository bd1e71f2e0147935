/**
 * The program's log: JSON lines on stderr (stdout belongs to the commands' results). One line per event; whatever
 * concerns a message carries its `queueId`. Never a body, never a secret.
 */

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

/**
 * Makes a log. Lines go out from the event loop's next turn, so that a slow terminal holds nobody up; pino writes what is
 * left when the process exits. `output` is for tests.
 */
export function createLog(level: LogLevel = 'info', output?: DestinationStream): Log {
  const options = { level, base: null, timestamp: stdTimeFunctions.isoTime };
  return pino(options, output ?? destination({ dest: stderr, sync: false }));
}
