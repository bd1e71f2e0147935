/** A list that an operator hands over, of accounts or aliases: bounded, and UTF-8, since nobody could log in with what was mangled. */

import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { CommandError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import { readAll, type Terminal } from './terminal.ts';

const maxListBytes = 256 * 2 ** 20;

/** `-` is standard input. Throws a CommandError that names the first line that is not UTF-8. Rejects with the system's error. */
export async function readListFile(terminal: Terminal, file: string): Promise<string> {
  const bytes =
    file === '-'
      ? await terminal.readInput(maxListBytes)
      : await readAll(createReadStream(resolve(terminal.cwd, file)), maxListBytes, file);
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw new CommandError(
    exitCodes.badData,
    `${file}: line ${brokenLine(bytes)} is not UTF-8. Convert the file first: iconv -f latin1 -t utf-8`,
  );
}

function brokenLine(bytes: Buffer): number {
  let line = 1;
  for (let start = 0; ; line++) {
    const end = bytes.indexOf('\n', start);
    if (end < 0 || !isUtf8(bytes.subarray(start, end))) return line;
    start = end + 1;
  }
}
