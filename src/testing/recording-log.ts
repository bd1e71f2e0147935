/** A log that remembers what it is told. */

import { createLog, type Log, type LogLevel } from '../util/log.ts';

export interface LogLine {
  msg: string;
  [field: string]: unknown;
}

const levels: Partial<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50 };

/** `lines` are those of one level, or all, in order. */
export function recordingLog(): { log: Log; lines(level?: LogLevel): LogLine[] } {
  const kept: (LogLine & { level: number })[] = [];
  const log = createLog('debug', { write: (line) => void kept.push(JSON.parse(line)) });
  return {
    log,
    lines: (level) => kept.filter((line) => level === undefined || line.level === levels[level]),
  };
}
