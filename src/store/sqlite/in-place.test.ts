import { cpSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sampleMessage, temporaryDirectory } from '../../testing/store.ts';
import { storeImage } from '../../testing/store-image.ts';
import { StoreBrokenError } from '../errors.ts';
import { openStore } from './open.ts';
import { openEngine } from './open-engine.ts';

test.each([
  [
    'removed',
    (folder: string) => rmSync(folder, { recursive: true }),
    /posthorn.db-wal was removed or moved/,
  ],
  ['moved', (folder: string) => renameSync(folder, `${folder}.away`), /posthorn.db-wal was removed or moved/],
  [
    'replaced',
    (folder: string) => {
      cpSync(folder, `${folder}.copy`, { recursive: true });
      renameSync(folder, `${folder}.away`);
      renameSync(`${folder}.copy`, folder);
    },
    /posthorn.db-wal was replaced by another file/,
  ],
])(
  'a store that is %s while the server runs is the end: nothing is acknowledged any more',
  async (_, lose, text) => {
    await using directory = await temporaryDirectory();
    const store = await openStore({ dataDir: directory.path });
    await store.accept(sampleMessage('Q1'));
    lose(join(directory.path, 'store'));
    await expect(store.accept(sampleMessage('Q2'))).rejects.toThrow(StoreBrokenError);
    await expect(store.accept(sampleMessage('Q3'))).rejects.toThrow(StoreBrokenError);
    expect((await store.broken).message).toMatch(text);
    await store.close();
  },
);

test('a store whose database was removed does not end as if all were well', async () => {
  await using directory = await temporaryDirectory();
  const store = await openStore({ dataDir: directory.path });
  await store.accept(sampleMessage('Q1'));
  rmSync(join(directory.path, 'store', 'posthorn.db'));
  await expect(store.close()).rejects.toThrow(/posthorn.db was removed or moved away/);
});

test('a database that was removed while the server runs is not copied into', async () => {
  await using directory = await temporaryDirectory();
  const { dataDir, files } = await storeImage(directory.path, 8, 'stopped');
  const opened = openEngine({ dataDir });
  rmSync(files.database);
  expect(() => opened.books.checkpoint()).toThrow(/posthorn.db was removed or moved away/);
  opened.close('lost');
});
