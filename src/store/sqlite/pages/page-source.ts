/**
 * The pages of a database as they count now: from the write-ahead log where it has them, else from the file. Reads only,
 * and only what is asked for. Not for a database that this process has open: closing the file would lose its locks.
 */

import { closeSync, fstatSync, openSync } from 'node:fs';
import { pageBytes } from './format.ts';
import { type Log, type LogFrame, newestFrames } from './log.ts';
import { openIfThere, readInto } from './read.ts';

export interface PageSource extends Disposable {
  /** The octets of a page in a buffer of its own; undefined where the file ends before it does, or cannot be read. */
  read(page: number): Buffer | undefined;
  /** The page as the database file has it, whatever the log says. */
  readFromFile(page: number): Buffer | undefined;
  readFromLog(frame: LogFrame): Buffer | undefined;
  /** Whole pages in the database file. */
  readonly filePages: number;
}

/** A database file that is missing has no pages. Throws the system's error where a file cannot be opened. */
export function openPages(databasePath: string, log: Log | undefined): PageSource {
  const database = openIfThere(databasePath);
  const logFile = log && openSync(log.path, 'r');
  const inLog = log ? newestFrames(log) : new Map<number, LogFrame>();
  const filePages = database === undefined ? 0 : Math.floor(fstatSync(database).size / pageBytes);

  function readFromFile(page: number): Buffer | undefined {
    if (database === undefined || page < 1 || page > filePages) return undefined;
    return readAt(database, (page - 1) * pageBytes);
  }

  function readFromLog({ offset, number }: LogFrame): Buffer | undefined {
    if (logFile === undefined) throw new RangeError(`There is no log that could have a frame ${number}`);
    return readAt(logFile, offset);
  }

  return {
    filePages,
    readFromFile,
    readFromLog,
    read(page) {
      const frame = inLog.get(page);
      return frame ? readFromLog(frame) : readFromFile(page);
    },
    [Symbol.dispose]() {
      for (const file of [database, logFile]) if (file !== undefined) closeSync(file);
    },
  };
}

function readAt(file: number, position: number): Buffer | undefined {
  const octets = Buffer.alloc(pageBytes);
  return readInto(file, octets, position) === pageBytes ? octets : undefined;
}
