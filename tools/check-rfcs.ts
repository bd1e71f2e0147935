/**
 * Keeps docs/rfcs.md true: every RFC that src/ cites has a row there, every row a valid status, and every file it
 * names exists. Part of `npm run check`.
 */

import { existsSync, readFileSync } from 'node:fs';
import { lineAt, readSources, report, type SourceFile } from './source-files.ts';

const tableFile = 'docs/rfcs.md';

export interface Row {
  rfc: string;
  status: string;
  /** As written: relative to the repository or to src/. */
  files: string[];
  line: number;
}

/** The rows of `| RFC | title | status | files |`; cells may carry links, backticks and remarks. */
export function parseTable(markdown: string): Row[] {
  return markdown.split('\n').flatMap((text, index) => {
    const [, rfc = '', , status = '', files = ''] = text.split('|').map((cell) => cell.trim());
    const number = /^\[?(?:RFC )?(\d{3,5})\b/.exec(rfc)?.[1];
    return number === undefined ? [] : [{ rfc: number, status, files: pathsIn(files), line: index + 1 }];
  });
}

const pathsIn = (cell: string): string[] =>
  cell.match(/[\w.@*-]+(?:\/[\w.@*-]*)+|[\w-]+\.(?:ts|md)\b/g) ?? [];

/** What is wrong with the rows, each with its remedy. */
export function checkRows(rows: readonly Row[], exists: (path: string) => boolean): string[] {
  const known = new Set<string>();
  return rows.flatMap((row) => {
    const twice = known.has(row.rfc);
    known.add(row.rfc);
    const problems = [
      twice ? 'has a row already: merge the two' : undefined,
      statusProblem(row),
      ...fileProblems(row, exists),
    ];
    return problems.flatMap((problem) =>
      problem === undefined ? [] : [`${tableFile}:${row.line}: RFC ${row.rfc} ${problem}.`],
    );
  });
}

function statusProblem({ status, files }: Row): string | undefined {
  const word = /^\W*(yes|partial|no)\b/.exec(status)?.[1];
  if (word === undefined) return `has the status "${status}": write yes, partial or no`;
  return word !== 'no' && files.length === 0
    ? `is "${word}", but no file is named: name those that implement it`
    : undefined;
}

function fileProblems({ files }: Row, exists: (path: string) => boolean): string[] {
  return files
    .filter((file) => !exists(file) && !exists(`src/${file}`))
    .map((file) => `names ${file}, which does not exist: correct the path`);
}

/** Citations of RFCs without a row; the first place of each. */
export function findMissing(files: readonly SourceFile[], rows: readonly Row[]): string[] {
  const known = new Set(rows.map(({ rfc }) => rfc));
  return files.flatMap(({ path, text }) =>
    [...text.matchAll(/\bRFC ?(\d{3,5}(?:\/\d{3,5})*)\b/g)].flatMap(({ 1: numbers = '', index }) =>
      numbers
        .split('/')
        .filter((rfc) => !known.has(rfc) && known.add(rfc))
        .map(
          (rfc) =>
            `src/${path}:${lineAt(text, index)}: cites RFC ${rfc}, which has no row in ${tableFile}: add one.`,
        ),
    ),
  );
}

function main(): void {
  if (!existsSync(tableFile)) {
    report([`${tableFile} does not exist: write the table | RFC | title | status | files |.`], '');
    return;
  }
  const rows = parseTable(readFileSync(tableFile, 'utf8'));
  const problems = [...checkRows(rows, existsSync), ...findMissing(readSources('src'), rows)];
  report(problems, `rfcs: ${rows.length} rows, every citation has one`);
}

if (import.meta.main) main();
