import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../testing/store.ts';
import { storeImage } from '../../testing/store-image.ts';
import { openEngine } from './open-engine.ts';
import { readLog } from './pages/log.ts';
import { readNote } from './pages/note.ts';
import { transactionOf } from './transaction.ts';

test('syncLog() notes how long the log is before anybody hears of the commit', async () => {
  await using directory = await temporaryDirectory();
  const { dataDir, files } = await storeImage(directory.path, 8, 'stopped');
  const { database, books, close } = openEngine({ dataDir });
  const { begin, commit } = transactionOf(database, books);
  for (const targets of ['[]', '["a@example.com"]']) {
    begin();
    database.prepare('UPDATE aliases SET targets = ?').run(targets);
    commit();
    const log = readLog(files.log);
    expect(readNote(files.note)).toMatchObject({ mark: { salts: log?.salts, frames: log?.frames.length } });
  }
  close('whole');
  expect(readNote(files.note)).toEqual({ mark: undefined, proofs: [] });
});
