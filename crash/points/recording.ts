/** A script as it was recorded: all that is needed to look into its every crash point, in a folder of its own. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Inode } from '../recorder/log.ts';
import { type LogRecord, readRecords } from '../recorder/log.ts';
import type { Letter } from './script/letters.ts';
import type { Taken } from './script/stranger.ts';

/** What the script has seen with its own eyes, and the ledger must know of too. */
export interface Known {
  /** Tokens of the letters that were answered with 250, or handed in. */
  acknowledged: string[];
  accounts: string[];
  /** Tokens of the letters whose deletion was confirmed. */
  deleted: string[];
  /** What the remote server has taken, and had time to say so: not what was under way when our server was killed. */
  taken: Pick<Taken, 'token' | 'recipients'>[];
}

/** What stands in `recording.json`; the records are in `log` beside it. */
export interface Facts {
  scene: string;
  /** The recorded directory, as the server named it, and its inode. */
  root: string;
  rootInode: Inode;
  /** Relative to the recorded directory. */
  dataDir: string;
  ports: { smtp: number; pop3: number; remote: number };
  letters: Letter[];
  known: Known;
  /** Octets of the log before the first record that is looked into. */
  watchedFrom: number;
}

export interface Recording extends Facts {
  records: readonly LogRecord[];
  /** The first record that is looked into. */
  firstWatched: number;
}

export const logFile = (directory: string): string => join(directory, 'log');

const factsFile = (directory: string): string => join(directory, 'recording.json');

export async function writeFacts(directory: string, facts: Facts): Promise<void> {
  await writeFile(factsFile(directory), JSON.stringify(facts));
}

export async function readRecording(directory: string): Promise<Recording> {
  // Written by writeFacts().
  const facts = JSON.parse(await readFile(factsFile(directory), 'utf8')) as Facts;
  const log = await readFile(logFile(directory));
  const records = readRecords(log);
  const firstWatched = readRecords(log.subarray(0, facts.watchedFrom)).length;
  return { ...facts, records, firstWatched };
}
