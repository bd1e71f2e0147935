import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TemporaryDirectory, temporaryDirectory } from '../../../testing/store.ts';
import { copyImage, type StoreImage, storeImage } from '../../../testing/store-image.ts';
import { CopyTooLargeError, copyOf } from './copy.ts';

let directory: TemporaryDirectory;
let images: StoreImage[];
beforeAll(async () => {
  directory = await temporaryDirectory();
  images = [
    await storeImage(join(directory.path, 's'), 60, 'stopped'),
    await storeImage(join(directory.path, 'k'), 60, 'killed'),
  ];
});
afterAll(() => directory[Symbol.asyncDispose]());

function everythingIn(database: Database.Database): unknown[] {
  const tables = database.prepare<[], string>(`SELECT name FROM sqlite_master WHERE type = 'table'`).pluck();
  return tables.all().map((table) => database.prepare(`SELECT * FROM ${table}`).raw().all());
}

test('copyOf() has what SQLite sees, of a store with a log and without', async () => {
  for (const [number, image] of images.entries()) {
    const copy = new Database(copyOf(image.files), { readonly: true });
    expect(copy.pragma('integrity_check', { simple: true })).toBe('ok');
    const { files } = await copyImage(image, join(directory.path, `seen-${number}`));
    const seen = new Database(files.database);
    expect(everythingIn(copy)).toEqual(everythingIn(seen));
    seen.close();
    copy.close();
  }
});

test('copyOf() does not take more memory than there is', () => {
  expect(() => copyOf(images[0]?.files ?? { database: '', log: '' }, 100_000)).toThrow(CopyTooLargeError);
});
