/** SHA256SUMS: a line for each file, as sha256sum(1) writes it and `sha256sum --check` reads it. */

import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { BackupError } from './layout.ts';

export interface FileSum {
  /** SHA-256, in hexadecimal. */
  sum: string;
  /** Relative to the snapshot. */
  path: string;
}

/** A line is gathered with others up to so many characters. */
const writeLength = 64 * 1024;
/** Of a line: a path has at most 4096 octets, each escaped. */
const maxLineLength = 10_000;

/** A name with one of these has a backslash before its line, and they are written by two characters. */
const special = /[\\\n\r]/g;
const written: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r' };
const meant: Record<string, string> = { '\\\\': '\\', '\\n': '\n', '\\r': '\r' };

export function formatSum({ sum, path }: FileSum): string {
  const escaped = path.replace(special, (character) => written[character] ?? character);
  return `${escaped === path ? '' : '\\'}${sum}  ${escaped}\n`;
}

/** Undefined for what is no such line. */
export function parseSum(line: string): FileSum | undefined {
  const [, mark, sum, path] = /^(\\?)([0-9a-f]{64}) [ *]([^\r\n]+)$/.exec(line) ?? [];
  if (sum === undefined || path === undefined) return undefined;
  return { sum, path: mark === '' ? path : path.replace(/\\[\\nr]/g, (pair) => meant[pair] ?? pair) };
}

/** Goes through all lines; no more than some of them are in memory. Throws BackupError and the system's error. */
export async function* readSums(file: string): AsyncIterable<FileSum> {
  for await (const line of linesOf(file)) {
    const sum = parseSum(line);
    if (sum === undefined || escapes(sum.path))
      throw new BackupError('damaged', `${file} is not as it was written. Use another snapshot.`);
    yield sum;
  }
}

/** LF alone ends one: a name may have U+2028, at which readline would cut. What is far too long for one comes as it is. */
async function* linesOf(file: string): AsyncIterable<string> {
  let rest = '';
  for await (const text of createReadStream(file, 'utf8')) {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > maxLineLength) break;
  }
  if (rest !== '') yield rest;
}

/** Nothing that we write leads out of the snapshot. */
const escapes = (path: string): boolean => path.startsWith('/') || path.split('/').includes('..');

export interface SumsWriter extends AsyncDisposable {
  add(sum: FileSum): Promise<void>;
  /** Writes the rest, and has it on disk. */
  finish(): Promise<void>;
}

/** Rejects with the system's error. */
export async function createSums(path: string): Promise<SumsWriter> {
  const file = await open(path, 'wx', 0o600);
  let gathered = '';
  async function write(): Promise<void> {
    const text = gathered;
    gathered = '';
    await file.appendFile(text);
  }
  let last = Promise.resolve();
  return {
    async add(sum) {
      gathered += formatSum(sum);
      if (gathered.length < writeLength) return;
      last = last.then(write);
      await last;
    },
    async finish() {
      await last;
      await write();
      await file.sync();
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}
