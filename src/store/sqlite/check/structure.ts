/** SQLite's own check of the database: trees, free pages, indexes against their tables. */

import Database from 'better-sqlite3';
import { error, type Finding } from './finding.ts';

const maxFindings = 100;

/** Throws what SQLite does. */
export function checkStructure(database: Database.Database, file: string): Finding[] {
  const lines = [...integrityLines(database)];
  const roots = new Map(
    database
      .prepare<[], [number, string]>('SELECT rootpage, tbl_name FROM sqlite_master WHERE rootpage > 0')
      .raw()
      .all(),
  );
  return lines.filter((line) => line !== 'ok').map((line) => findingOf(line, file, roots));
}

/** Where SQLite gives up in the middle, that is the last of them. */
function* integrityLines(database: Database.Database): Iterable<string> {
  try {
    yield* database.prepare<[], string>(`PRAGMA integrity_check(${maxFindings})`).pluck().iterate();
  } catch (reason) {
    if (!(reason instanceof Database.SqliteError)) throw reason;
    yield `cannot be checked to its end: ${reason.message}`;
  }
}

/** `Tree 12 page 45 cell 3: …` in the terms of our tables; other lines name them themselves. */
function findingOf(line: string, file: string, roots: ReadonlyMap<number, string>): Finding {
  const what = line.replaceAll(/\*+ in database main \*+\s*|\s+/g, ' ').trim();
  const [, tree, page] = /^Tree (\d+) page (\d+)/.exec(what) ?? [];
  const table = roots.get(Number(tree));
  return error({
    file,
    what,
    ...(page !== undefined && { page: Number(page) }),
    ...(table !== undefined && { table }),
  });
}
