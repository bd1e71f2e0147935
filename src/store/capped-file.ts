/** A text file that is written from its beginning, line by line, and takes no more than so much. For the owner alone. */

import { createWriteStream, renameSync, statSync } from 'node:fs';
import { finished } from 'node:stream/promises';

export interface CappedFile {
  /** False when the file is full, or cannot be written: this line is not in it, and no further one will be. */
  write(line: string): boolean;
  /** Resolves when all that was taken is in the file; rejects where that could not be written. */
  close(): Promise<void>;
}

/** A file that is there already gets `.1` behind its name, in place of one before it. `onError` hears of the first failure. */
export function openCappedFile(
  path: string,
  { maxBytes, onError }: { maxBytes: number; onError: (error: Error) => void },
): CappedFile {
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) renameSync(path, `${path}.1`);
  const stream = createWriteStream(path, { flags: 'w', mode: 0o600 });
  let bytes = 0;
  let isOver = false;
  stream.on('error', (error) => {
    isOver = true;
    onError(error);
  });
  return {
    write(line) {
      bytes += Buffer.byteLength(line) + 1;
      isOver ||= bytes > maxBytes;
      if (!isOver) stream.write(`${line}\n`);
      return !isOver;
    },
    async close() {
      if (stream.errored) return; // onError knows
      stream.end();
      await finished(stream);
    },
  };
}
