/**
 * Enforces the layer rule of docs/ARCHITECTURE.md: a folder of src/ imports only from lower lines, sockets and other
 * programs live in net/, and the process ends in main.ts. Part of `npm run check`. Tests see everything, and are not looked at.
 */

import { findImports, type Import } from './imports.ts';
import { lineAt, readSources, report, type SourceFile } from './source-files.ts';

/** Bottom to top. Folders of one line are siblings: they know each other's types at most. */
const lines: readonly (readonly string[])[] = [
  ['util'],
  ['mail', 'dns', 'sasl'],
  [
    'smtp',
    'pop3',
    'imap',
    'authentication',
    'mta-sts',
    'dane',
    'tls-rpt',
    'dmarc-rpt',
    'arf',
    'dsn',
    'oauth',
    'filter',
  ],
  ['policy'],
  ['config', 'net', 'store'],
  ['queue', 'dossier', 'backup', 'records', 'acme'],
  ['reception', 'delivery', 'reporting', 'telemetry'],
  ['simulation', 'preflight'],
  ['admin', 'web', 'doctor'],
  ['wiring', 'setup'],
  ['cli'],
];

/** Vocabulary that everybody may name as types, also from below. */
const sharedTypes = new Set(['net/machine.ts', 'smtp/reply.ts', 'dossier/event.ts']);

/** What reaches out of the process: other machines, and other programs of this one. */
const socketModules = /^(?:node:)?(?:net|tls|dgram|https?|http2)$/;
const programModules = /^(?:node:)?child_process$/;

/** One line for people: `src/FILE:LINE: what is wrong. The rule. What to do.` */
export type Violation = string;

/** Checks the files of a source tree; paths are relative to it. */
export function findViolations(files: readonly SourceFile[]): Violation[] {
  return files
    .filter(({ path }) => !path.endsWith('.test.ts'))
    .flatMap((file) => [
      ...unknownFolder(file),
      ...findImports(file).flatMap((found) => {
        const complaint =
          found.target === undefined
            ? packageRule(file.path, found)
            : layerRule(file.path, found, found.target);
        return complaint === undefined
          ? []
          : [`src/${file.path}:${found.line}: imports ${found.specifier}. ${complaint}`];
      }),
      ...exitRule(file),
    ]);
}

function unknownFolder({ path }: SourceFile): Violation[] {
  const folder = folderOf(path);
  if (folder === undefined || folder === 'testing' || lineOf(folder) >= 0) return [];
  return [
    `src/${path}:1: folder ${folder}/ has no line. Every folder stands on one: give it its place in tools/check-layers.ts.`,
  ];
}

function packageRule(path: string, { specifier, kind }: Import): string | undefined {
  const folder = folderOf(path);
  // testing/ plays the peers; the wiring hands parts of sockets around, and so may name their types.
  const mayImport = folder === 'net' || folder === 'testing' || (folder === undefined && kind === 'type');
  if (mayImport) return undefined;
  if (socketModules.test(specifier))
    return 'Only src/net/ touches sockets: take what you need as a parameter, or move this part to src/net/.';
  if (programModules.test(specifier))
    return 'Only src/net/ starts programs (net/program.ts): take what you need as a parameter.';
  return undefined;
}

function layerRule(path: string, { kind }: Import, target: string): string | undefined {
  const from = folderOf(path);
  const to = folderOf(target);
  if (to === 'testing') return testingRule(path);
  if (from === undefined || from === 'testing' || from === to) return undefined;
  if (target === 'server.ts') return serverRule(from, kind);
  if (to === undefined)
    return 'Files at the root of src/ wire things together and are imported by nobody below: turn it round.';
  if (kind === 'type' && sharedTypes.has(target)) return undefined;
  return orderRule(from, to, kind);
}

function orderRule(from: string, to: string, kind: Import['kind']): string | undefined {
  const distance = lineOf(from) - lineOf(to);
  if (distance > 0 || (distance === 0 && kind === 'type')) return undefined;
  const relation = distance === 0 ? `${from}/ and ${to}/ are siblings` : `${to}/ stands above ${from}/`;
  const remedy = distance === 0 ? 'use `import type`, or ' : '';
  return `A folder imports only from lower lines, and ${relation}: ${remedy}pass it in as a parameter, or move what both need to a lower folder.`;
}

function testingRule(path: string): string | undefined {
  if (folderOf(path) === 'testing' || path === 'cli/playground.ts') return undefined;
  return 'src/testing/ is for tests and for cli/playground.ts: move what production needs out of it.';
}

function serverRule(from: string, kind: Import['kind']): string | undefined {
  if (from === 'cli' && kind !== 'value') return undefined;
  return 'server.ts is the wiring of everything: only cli/ starts it, by a lazy `await import()`; others take parts as parameters.';
}

function exitRule({ path, text }: SourceFile): Violation[] {
  if (path === 'main.ts') return [];
  return [...text.matchAll(/^(?!\s*(?:\/\/|\/?\*)).*\bprocess\.exit\(/gm)].map(
    ({ index }) =>
      `src/${path}:${lineAt(text, index)}: calls process.exit. Only main.ts ends the process: return an exit code, or throw.`,
  );
}

const lineOf = (folder: string): number => lines.findIndex((line) => line.includes(folder));

/** The first folder of a path below src/; undefined for files at its root. */
function folderOf(path: string): string | undefined {
  const [first, ...rest] = path.split('/');
  return rest.length === 0 ? undefined : first;
}

if (import.meta.main) report(findViolations(readSources('src')), 'layers: every import points down');
