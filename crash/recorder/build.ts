/** Compiles the recorder where it is used, and says how a program is started under it. Needs gcc; brings it by apt. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensurePrograms } from '../../e2e/packages.ts';
import { runOk } from '../../e2e/process.ts';

const sources = ['log.c', 'watch.c', 'files.c', 'words.c', 'refused.c', 'kill.c'];

/** Compiles into `directory`; resolves to the library's path. Rejects with the compiler's words. */
export async function buildRecorder(directory: string): Promise<string> {
  await ensurePrograms(['gcc']);
  const library = join(directory, 'recorder.so');
  const files = sources.map((name) => join(import.meta.dirname, name));
  await runOk('gcc', ['-shared', '-fPIC', '-O2', '-std=gnu11', '-o', library, ...files, '-ldl', '-lpthread']);
  return library;
}

export interface RecorderOptions {
  library: string;
  /** What happens below this directory is recorded; absolute, no symbolic links. */
  root: string;
  /** Appended to. */
  logFile: string;
  /** Every sync takes so much longer, so that what comes meanwhile gathers, as it does on a slow disk. */
  syncMicroseconds?: number;
  /** Where the orders of orderKill() lie. */
  killFile: string;
}

/** The environment of a program whose doings are to be recorded. */
export function recordingEnvironment(options: RecorderOptions): Record<string, string> {
  return {
    LD_PRELOAD: options.library,
    POSTHORN_RECORD_ROOT: options.root,
    POSTHORN_RECORD_LOG: options.logFile,
    POSTHORN_RECORD_SYNC_US: String(options.syncMicroseconds ?? 0),
    POSTHORN_RECORD_KILL: options.killFile,
  };
}

/** A sync, by which a recorded process dies before it begins. */
export interface FatalSync {
  /** Part of the path of the file or directory. */
  of: string;
  /** Of those that come from now on, the first or a later one. */
  turn: number;
}

/** The process that runs now dies there; for those that follow it, the file has to be removed. */
export async function orderKill(killFile: string, { of, turn }: FatalSync): Promise<void> {
  await writeFile(killFile, `${turn} ${of}\n`);
}
