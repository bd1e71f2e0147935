/** Makes a later version of a program that lies somewhere: another number, and a store that has one table more. */

import { ok } from 'node:assert/strict';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const laterVersion = '9.8.7';

export interface Layouts {
  /** Versions of the store's schema. */
  before: number;
  after: number;
}

/** `place` holds package.json, and the program in `src` or, as it is published, in `dist`. Each file is replaced as a whole, as dpkg does it. */
export async function makeLater(place: string, folder: 'src' | 'dist' = 'src'): Promise<Layouts> {
  let before = 0;
  await edit(join(place, 'package.json'), (text) =>
    text.replace(/"version": "[^"]*"/, `"version": "${laterVersion}"`),
  );
  const schema = join(place, folder, 'store/sqlite', folder === 'src' ? 'schema.ts' : 'schema.js');
  await edit(schema, (text) =>
    text
      .replace(/(?<=schemaVersion = )\d+/, (found) => {
        before = Number(found);
        return String(before + 1);
      })
      .replace(
        "migrations[next] ?? ''",
        "migrations[next] ?? 'CREATE TABLE of_a_later_version (x INTEGER) STRICT'",
      ),
  );
  return { before, after: before + 1 };
}

/** Rejects where nothing changes: then the file is another than whoever calls this knows. */
export async function edit(path: string, change: (text: string) => string): Promise<void> {
  const before = await readFile(path, 'utf8');
  const after = change(before);
  ok(after !== before, `${path} is another than this scenario knows`);
  await writeFile(`${path}.new`, after, { mode: (await stat(path)).mode });
  await rename(`${path}.new`, path);
}
