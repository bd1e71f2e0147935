/**
 * Finds files that import each other, straight or by way of others. Of types too: what two files need of each other
 * belongs into a third, or into one of them. An `import()` is left out: it is how a command is loaded when it is asked for.
 */

import { findImports } from './imports.ts';
import { readSources, report, type SourceFile } from './source-files.ts';

/** Each ring once, as the paths on the way round it; empty where every import leads away. */
export function findRings(files: readonly SourceFile[]): string[][] {
  const imports = new Map(
    files.map((file) => [
      file.path,
      findImports(file).flatMap(({ target, kind }) =>
        target === undefined || kind === 'lazy' ? [] : [target],
      ),
    ]),
  );
  const done = new Set<string>();
  const rings: string[][] = [];
  const way: string[] = [];
  const follow = (path: string): void => {
    const from = way.indexOf(path);
    if (from >= 0) return void rings.push(way.slice(from));
    if (done.has(path)) return;
    way.push(path);
    for (const target of imports.get(path) ?? []) follow(target);
    way.pop();
    done.add(path);
  };
  for (const { path } of files) follow(path);
  return rings;
}

if (import.meta.main) {
  const roots = ['src', 'e2e', 'bench', 'crash', 'fuzz', 'tools'];
  const files = roots.flatMap((root) =>
    readSources(root).map(({ path, text }) => ({ path: `${root}/${path}`, text })),
  );
  const problems = findRings(files).map(
    (ring) =>
      `${ring[0]}:1: imports itself by way of ${ring.slice(1).join(', ')}. Move what both need to one of them.`,
  );
  report(problems, 'rings: no files import each other');
}
