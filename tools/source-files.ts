/** Walks a source tree for the checks in this folder. Knows nothing of what they look for. */

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

export interface SourceFile {
  /** Path below the tree's root, with `/` whatever the platform. */
  path: string;
  text: string;
}

/** Every file below `root`, sorted by path; `node_modules` and dot-folders are left out. */
export function listFiles(root: string): string[] {
  return readdirSync(root, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !path.split('/').some((part) => part === 'node_modules' || part.startsWith('.')))
    .sort();
}

/** The TypeScript files below `root` with their text. */
export function readSources(root: string): SourceFile[] {
  return listFiles(root)
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** The number, from 1, of the line that `offset` lies in. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** Prints problems one to a line on stderr, and sets the exit code; or says on stdout that all is well. */
export function report(problems: readonly string[], allWell: string): void {
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  else console.log(allWell);
}
