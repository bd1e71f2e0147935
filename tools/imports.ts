/**
 * Finds what a TypeScript file imports, by pattern: statements begin a line (the formatter sees to it), which also
 * keeps comments out. Good enough for our own formatted sources, and no parser to install.
 */

import { posix } from 'node:path';
import { lineAt, type SourceFile } from './source-files.ts';

export interface Import {
  /** As written: `../smtp/reply.ts`, `node:net`, `pino`. */
  specifier: string;
  /** Path below the source root, for a relative specifier. */
  target?: string;
  line: number;
  /** `type`: erased at run time. `lazy`: by `import()`. */
  kind: 'value' | 'type' | 'lazy';
}

const statement = /^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
const call = /^(?!\s*(?:\/\/|\/?\*)).*?\b(typeof\s+)?import\(\s*['"]([^'"]+)['"]\s*\)/gm;

/** The imports and re-exports of a file, in no particular order. */
export function findImports({ path, text }: SourceFile): Import[] {
  return [
    ...found(path, text, statement, 'value'), //
    ...found(path, text, call, 'lazy'),
  ];
}

function found(path: string, text: string, pattern: RegExp, kind: 'value' | 'lazy'): Import[] {
  return [...text.matchAll(pattern)].map(({ 1: type, 2: specifier = '', index }) => ({
    specifier,
    ...(specifier.startsWith('.') ? { target: posix.join(posix.dirname(path), specifier) } : {}),
    line: lineAt(text, index),
    kind: type === undefined ? kind : 'type',
  }));
}
