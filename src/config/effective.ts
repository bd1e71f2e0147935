/**
 * What a configuration comes to, in the words of its file: every key that is in force, as it is written there, or else its
 * default. For people and programs who look; nobody acts by it.
 */

import { stringify, type TomlValue } from 'smol-toml';
import { isTable } from './kinds.ts';
import type { KeyPath } from './problem.ts';

export interface Setting {
  path: KeyPath;
  value: unknown;
  /** It does not stand in the file. */
  isDefault: boolean;
}

/** `raw` is what was parsed, `content` what was made of it by the schema, with all defaults. */
export function effectiveSettings(raw: unknown, content: unknown, path: KeyPath = []): Setting[] {
  if (isTable(content) && (raw === undefined || isTable(raw))) return settingsOf(raw ?? {}, content, path);
  if (isListOfTables(content) && (raw === undefined || isListOfTables(raw)))
    return content.flatMap((each, index) => effectiveSettings(raw?.[index], each, [...path, index]));
  if (raw !== undefined) return [{ path, value: raw, isDefault: false }];
  return content === undefined ? [] : [{ path, value: content, isDefault: true }];
}

/** What the file says, in its order, then the defaults. */
function settingsOf(
  raw: Record<string, unknown>,
  content: Record<string, unknown>,
  path: KeyPath,
): Setting[] {
  const keys = [...Object.keys(raw), ...Object.keys(content).filter((key) => !(key in raw))];
  return keys.flatMap((key) => effectiveSettings(raw[key], content[key] ?? raw[key], [...path, key]));
}

const isListOfTables = (value: unknown): value is Record<string, unknown>[] =>
  Array.isArray(value) && value.length > 0 && value.every(isTable);

/** As a file says it, with a mark at each default. Keys of the top come first, then each table. */
export function formatSettings(settings: readonly Setting[]): string {
  const byTable = new Map<string, Setting[]>();
  for (const setting of settings) {
    const table = headerOf(setting.path.slice(0, -1));
    byTable.set(table, [...(byTable.get(table) ?? []), setting]);
  }
  const top = byTable.get('') ?? [];
  byTable.delete('');
  const tables = [...byTable].map(([header, inside]) => `\n${header}\n${linesOf(inside)}`);
  return `${linesOf(top)}${tables.join('')}`;
}

/** `[limits]`; of a list, with its number, which is no TOML: `[[listener]]  # 2`. */
function headerOf(path: KeyPath): string {
  if (path.length === 0) return '';
  const name = path.filter((part) => typeof part === 'string').join('.');
  const numbers = path.filter((part) => typeof part === 'number').map((index) => index + 1);
  const isList = typeof path.at(-1) === 'number';
  const header = isList ? `[[${name}]]` : `[${name}]`;
  return numbers.length === 0 ? header : `${header}  # ${numbers.join('.')}`;
}

function linesOf(settings: readonly Setting[]): string {
  const lines = settings.map(({ path, value, isDefault }) => ({
    text: `${path.at(-1)} = ${formatValue(value)}`,
    isDefault,
  }));
  const width = Math.min(48, Math.max(0, ...lines.map(({ text }) => text.length)));
  return lines
    .map(({ text, isDefault }) => `${isDefault ? `${text.padEnd(width)}  # default` : text}\n`)
    .join('');
}

/** On one line. */
export function formatValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatValue).join(', ')}]`;
  if (isTable(value)) {
    const pairs = Object.entries(value).map(([key, part]) => `${key} = ${formatValue(part)}`);
    return `{ ${pairs.join(', ')} }`;
  }
  // What comes from TOML, and plain defaults.
  return stringify({ x: value as TomlValue })
    .trim()
    .slice('x = '.length);
}
