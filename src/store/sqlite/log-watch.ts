/**
 * Follows the write-ahead log from commit to commit, and keeps the note of how long it is (pages/note.ts). Does no syncing
 * itself.
 */

import { readSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { pageBytes } from './pages/format.ts';
import { frameBytes, logHeaderBytes, type Salts } from './pages/log.ts';
import type { NoteFile, Proof } from './pages/note.ts';
import { sumOfOctets } from './pages/sums.ts';

export interface LogWatch {
  /** How many frames of the log are not yet in the database. */
  readonly frames: number;
  /** SQLite has written a commit, or nothing: to be called before its sync. */
  written(): void;
  /** It is on disk: to be called before anybody hears of it. */
  synced(): void;
  /** The log is about to be copied back: until the end of that, no page of the database proves that it has all. */
  copying(): void;
  /** All of it is in the database, or not yet. */
  copied(isAll: boolean): void;
}

/** What is known of the log after a commit. */
interface Commit {
  salts: Salts;
  frames: number;
  proof: Proof;
}

/** Throws SQLite's errors and the system's, now and later. */
export function watchLog(database: Database, logFile: number, note: NoteFile): LogWatch {
  const look = database.prepare<[], [busy: number, frames: number]>('PRAGMA wal_checkpoint(NOOP)').raw();
  const frame = Buffer.alloc(frameBytes);
  let known: Commit | undefined;
  let pending: Commit | undefined;
  /** All that is known is in the database; the next commit may begin the log anew, with other salts. */
  let isCopied = true;

  function newCommit(): Commit | undefined {
    const frames = look.get()?.[1] ?? 0;
    if (frames === 0 || (frames === known?.frames && !isCopied)) return undefined;
    const commit = readCommit(logFile, frames, frame);
    return frames === known?.frames && commit.salts[0] === known.salts[0] ? undefined : commit;
  }

  const proofsSoFar = () => (known === undefined || isCopied ? [] : [known.proof]);
  const noteDown = (proofs: Proof[]) => note.write({ mark: isCopied ? undefined : known, proofs });

  return {
    get frames() {
      return isCopied ? 0 : (known?.frames ?? 0);
    },
    written() {
      pending = newCommit();
      if (pending !== undefined) noteDown([...proofsSoFar(), pending.proof]);
    },
    synced() {
      if (pending === undefined) return;
      known = pending;
      pending = undefined;
      isCopied = false;
      noteDown(proofsSoFar());
    },
    copying: () => noteDown([]),
    copied(isAll) {
      isCopied ||= isAll;
      noteDown(proofsSoFar());
    },
  };
}

/** The frame that ends the last commit, into `frame`: its header says which page it has, and of which log it is. */
function readCommit(logFile: number, frames: number, frame: Buffer): Commit {
  readSync(logFile, frame, 0, frameBytes, logHeaderBytes + (frames - 1) * frameBytes);
  return {
    salts: [frame.readUInt32BE(8), frame.readUInt32BE(12)],
    frames,
    proof: { page: frame.readUInt32BE(0), sum: sumOfOctets(frame.subarray(frameBytes - pageBytes)) },
  };
}
