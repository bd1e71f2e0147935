/**
 * Builds dist/, what the published package runs: tsc's JavaScript, the files beside it that are no TypeScript, manual pages.
 * `bin/posthorn` takes dist/ where there is no src/.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listFiles } from './source-files.ts';

/** tsc rewrites `./x.ts` in imports; the URL of a worker's file is for us to rewrite. */
export function rewriteFileUrls(text: string): string {
  return text.replace(/(new URL\(\s*['"]\.{1,2}\/[^'"]+)\.ts(?=['"],\s*import\.meta\.url)/g, '$1.js');
}

/** Files that belong to the program but are not compiled; test data does not belong to it. */
export function isAsset(path: string): boolean {
  return !path.endsWith('.ts') && !path.split('/').includes('testdata') && !path.includes('.test.');
}

/** The exit code: tsc's own, if it found errors. */
function build(): number {
  rmSync('dist', { recursive: true, force: true });
  const tsc = join('node_modules', '.bin', 'tsc');
  const { status } = spawnSync(tsc, ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
  if (status !== 0) return status ?? 1;
  for (const path of listFiles('dist').filter((file) => file.endsWith('.js'))) {
    const file = join('dist', path);
    const text = readFileSync(file, 'utf8');
    const rewritten = rewriteFileUrls(text);
    if (rewritten !== text) writeFileSync(file, rewritten);
  }
  for (const asset of listFiles('src').filter(isAsset)) cpSync(join('src', asset), join('dist', asset));
  // What is built writes its own manual pages.
  const pages = spawnSync(process.execPath, [join('dist', 'main.js'), 'manual', join('dist', 'man')]);
  return pages.status ?? 1;
}

if (import.meta.main) process.exitCode = build();
