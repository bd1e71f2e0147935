/** A directory for configurations that tests write, with keys that they may name, and what is found wrong in one. */

import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { parseConfig } from '../config/load.ts';
import { ConfigError } from '../config/problem.ts';

export interface ConfigPlace {
  /** Holds `dkim.pem`, a key, and `garbage.pem`, which is none. */
  directory: string;
  /** The configuration's; it is there once a test has written it. */
  file: string;
  /** What is wrong with a text: `line key: what | remedy`, one per problem. */
  problemsOf(toml: string): Promise<string[]>;
}

/** For all tests of a file; gone at the end of it. */
export function configPlace(): ConfigPlace {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-config-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(join(directory, 'dkim.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(join(directory, 'garbage.pem'), 'no PEM');
  const file = join(directory, 'posthorn.toml');
  return { directory, file, problemsOf: (toml) => problemsOf(toml, file) };
}

async function problemsOf(toml: string, file: string): Promise<string[]> {
  try {
    await parseConfig(toml, file);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ line, key, what, remedy }) => `${line} ${key}: ${what} | ${remedy}`);
  }
}
