/** A file of TOML that people write: read, parsed, and what is wrong in it told by line. Knows no key. */

import { readFile } from 'node:fs/promises';
import { parse, TomlError, type TomlTable } from 'smol-toml';
import type { Finding } from './draft.ts';
import { locateKeys } from './locate.ts';
import { ConfigError, formatKey, type KeyPath, type Problem } from './problem.ts';

/** Rejects with a ConfigError; `remedy` is what to do where there is no such file. */
export async function readTomlFile(file: string, remedy: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EACCES') {
      const what = 'may not be read by this user';
      throw new ConfigError([{ file, key: '', what, remedy: 'Let it read the file, or run this as root.' }]);
    }
    const what =
      code === 'EISDIR'
        ? 'is a directory'
        : `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    throw new ConfigError([{ file, key: '', what, remedy }], { isAbsent: code === 'ENOENT' });
  }
}

const errorCode = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

/** Room for some five thousand domains. A KiB of keys that nobody knows takes up to 2 ms, most of it for their remedies. */
const maxConfigLength = 512 * 1024;

/** Each entry of a list is looked at, and told of, by itself: 10 to 60 µs for a bad one, which add up. */
const maxListLength = 5000;

/** The first list that is too long to be read. */
function findTooLong(value: unknown, path: KeyPath = []): Finding | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value) && value.length > maxListLength) {
    const what = `has ${value.length} entries, of at most ${maxListLength}`;
    return { path, what, remedy: 'Remove those that are not needed.' };
  }
  for (const [key, part] of Object.entries(value)) {
    const found = findTooLong(part, [...path, Array.isArray(value) ? Number(key) : key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Stops at the first error: after it, nothing in the file is certain. Throws a ConfigError. */
export function parseToml(toml: string, file: string): TomlTable {
  const raw = parseSyntax(toml, file);
  const tooLong = findTooLong(raw);
  if (tooLong === undefined) return raw;
  const { path, what, remedy } = tooLong; // without its line: to find that would take longer than all the rest
  throw new ConfigError([{ file, key: formatKey(path), what, remedy }]);
}

function parseSyntax(toml: string, file: string): TomlTable {
  if (toml.length > maxConfigLength) {
    const what = `has ${toml.length} characters, of at most ${maxConfigLength}`;
    throw new ConfigError([{ file, key: '', what, remedy: 'Is it the right file?' }]);
  }
  try {
    return parse(toml);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [message = 'not TOML'] = error.message.replace('Invalid TOML document: ', '').split('\n');
    const remedy = `${excerpt(toml, error)}\nText goes in "quotes", numbers and true/false without; one key per line.`;
    throw new ConfigError([{ file, line: error.line, key: '', what: message, remedy }]);
  }
}

/** Characters of a line that are shown, and of those that stand before the error. */
const shown = 100;
const shownBefore = 60;

/** The line and its neighbours, with a mark at the column; whatever the file is, a terminal can show it. */
function excerpt(toml: string, { line, column }: { line: number; column: number }): string {
  const lines = toml.split(/\r?\n/);
  const begin = Math.max(0, column - 1 - shownBefore);
  const width = String(line + 1).length;
  return [line - 1, line, line + 1]
    .flatMap((number) => {
      const text = lines[number - 1]?.slice(begin, begin + shown).replace(/[^\P{C}\t]|\u{fffd}/gu, '?');
      const mark = ' '.repeat(width + 3 + column - 1 - begin);
      return [
        ...(text ? [`${String(number).padEnd(width)}:  ${text}`] : []),
        ...(number === line ? [`${mark}^`] : []),
      ];
    })
    .join('\n');
}

/** In the order of their lines. `toml` must be valid. */
export function toProblems(findings: readonly Finding[], toml: string, file: string): Problem[] {
  const lineOf = locateKeys(toml);
  return findings
    .map(({ path, what, remedy }) => ({ file, line: lineOf(path), key: formatKey(path), what, remedy }))
    .sort((one, other) => one.line - other.line);
}
