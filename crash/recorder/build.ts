/** Compiles the recorder where it is used, and says how a program is started under it. Needs gcc; brings it by apt. */

import { join } from 'node:path';
import { ensurePrograms } from '../../e2e/packages.ts';
import { runOk } from '../../e2e/process.ts';

const sources = ['log.c', 'watch.c', 'files.c', 'words.c', 'refused.c'];

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
}

/** The environment of a program whose doings are to be recorded. */
export function recordingEnvironment(options: RecorderOptions): Record<string, string> {
  return {
    LD_PRELOAD: options.library,
    POSTHORN_RECORD_ROOT: options.root,
    POSTHORN_RECORD_LOG: options.logFile,
    POSTHORN_RECORD_SYNC_US: String(options.syncMicroseconds ?? 0),
  };
}
