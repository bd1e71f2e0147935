/** The configuration file, and the files outside of the data directory that it names: keys, certificates, secrets. */

import { stat } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { parseToml, readTomlFile } from '../config/toml-file.ts';

/** What is longer is no key and no certificate. */
const maxBytes = 1024 * 1024;

/**
 * Absolute paths. Whatever value of the configuration is the path of a file counts, so that none is forgotten; but no
 * programs (`pipe` transports), and nothing long. Rejects with a ConfigError.
 */
export async function outsideFiles(configFile: string, dataDir: string): Promise<string[]> {
  const toml = parseToml(await readTomlFile(configFile, 'Name another file with --config.'), configFile);
  const directory = dirname(configFile);
  const paths = new Set([configFile]);
  for (const text of textsIn(toml)) {
    const path = resolve(directory, text);
    if (!isWithin(dataDir, path) && (await isSmallFile(path))) paths.add(path);
  }
  return [...paths].sort();
}

export function isWithin(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way === '' || !(/^\.\.(?:\/|$)/.test(way) || isAbsolute(way));
}

function* textsIn(value: unknown): Iterable<string> {
  if (typeof value === 'string') {
    if (value !== '' && !value.includes('\0')) yield value;
  } else if (typeof value === 'object' && value !== null)
    for (const part of Object.values(value)) yield* textsIn(part);
}

async function isSmallFile(path: string): Promise<boolean> {
  try {
    const stats = await stat(path);
    return stats.isFile() && stats.size <= maxBytes && (stats.mode & 0o111) === 0;
  } catch {
    // A value that is no path, or leads where this user may not look: the configuration was read, so nothing that it needs.
    return false;
  }
}
