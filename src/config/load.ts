/**
 * From `posthorn.toml` to a frozen Config: syntax, shape, agreement between keys, files on disk. Every problem is found in
 * one go and told with its line and its remedy. Knows nothing of what the values are used for.
 */

import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse, TomlError, type TomlTable } from 'smol-toml';
import * as v from 'valibot';
import type { Config } from './config.ts';
import { crossCheck } from './cross-checks.ts';
import { type Finding, readDraft } from './draft.ts';
import { checkFiles } from './files.ts';
import { toFindings } from './issues.ts';
import { locateKeys } from './locate.ts';
import type { HostPort } from './network.ts';
import { ConfigError, formatKey, type KeyPath, type Problem } from './problem.ts';
import { type FileContent, fileSchema } from './schema.ts';
import { completeTransport, type TransportConfig } from './transport.ts';

export interface LoadOptions {
  /** False for commands that make the files which the configuration names. Default: true. */
  checkFiles?: boolean;
}

/** Reads and validates a file. Rejects with a ConfigError that holds every problem. */
export async function loadConfig(file: string, options: LoadOptions = {}): Promise<Config> {
  const absolute = resolve(file);
  let toml: string;
  try {
    toml = await readFile(absolute, 'utf8');
  } catch (error) {
    const what = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    const remedy = 'Name another file with --config, or create this one.';
    throw new ConfigError([{ file: absolute, key: '', what, remedy }]);
  }
  return parseConfig(toml, absolute, options);
}

/** The same for a text; `file` is its absolute path, where relative paths begin. */
export async function parseConfig(toml: string, file: string, options: LoadOptions = {}): Promise<Config> {
  const raw = parseToml(toml, file);
  const tooLong = findTooLong(raw);
  if (tooLong !== undefined) {
    const { path, what, remedy } = tooLong; // without its line: to find that would take longer than all the rest
    throw new ConfigError([{ file, key: formatKey(path), what, remedy }]);
  }
  const directory = dirname(file);
  const result = v.safeParse(fileSchema(directory), raw);
  const draft = readDraft(raw, directory);
  const findings = [
    ...(result.success ? [] : toFindings(result.issues)),
    ...crossCheck(draft),
    ...(options.checkFiles === false ? [] : await checkFiles(draft)),
  ];
  if (result.success && findings.length === 0) return toConfig(result.output, file);
  throw new ConfigError(toProblems(findings, toml, file));
}

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

/** Stops at the first error: after it, nothing in the file is certain. */
function parseToml(toml: string, file: string): TomlTable {
  if (toml.length > maxConfigLength) {
    const what = `has ${toml.length} characters, of at most ${maxConfigLength}`;
    throw new ConfigError([
      { file, key: '', what, remedy: 'Is this the configuration? Name its file with --config.' },
    ]);
  }
  try {
    return parse(toml);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [message = 'not TOML'] = error.message.replace('Invalid TOML document: ', '').split('\n');
    const remedy = `${error.codeblock.trimEnd()}\nText goes in "quotes", numbers and true/false without; one key per line.`;
    throw new ConfigError([{ file, line: error.line, key: '', what: message, remedy }]);
  }
}

function toProblems(findings: readonly Finding[], toml: string, file: string): Problem[] {
  const lineOf = locateKeys(toml);
  return findings
    .map(({ path, what, remedy }) => ({ file, line: lineOf(path), key: formatKey(path), what, remedy }))
    .sort((one, other) => one.line - other.line);
}

function toConfig(content: FileContent, file: string): Config {
  const { listener, domain, transport, site, source, limits, ...rest } = content;
  const { idleSeconds, sessionSeconds, ...counts } = limits;
  const { relayHost, ...delivery } = rest.delivery;
  return freeze({
    ...rest,
    file,
    listeners: listener,
    domains: domain,
    sites: site,
    sources: source,
    transports: [
      ...transport.map(completeTransport),
      ...(relayHost === undefined ? [] : [everythingTo(relayHost)]),
    ],
    delivery,
    limits: { ...counts, idleMs: idleSeconds * 1000, sessionMs: sessionSeconds * 1000 },
  });
}

const everythingTo = ({ host, port }: HostPort): TransportConfig =>
  completeTransport({ domains: ['*'], protocol: 'smtp', host, port });

function freeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) freeze(part);
  return Object.freeze(value);
}
