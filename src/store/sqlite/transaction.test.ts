import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { createGroupCommit } from './group-commit.ts';
import { transactionOf } from './transaction.ts';

function world(syncLog: () => void) {
  const database = new Database(':memory:');
  database.exec('CREATE TABLE numbers (number)');
  const insert = (number: number) => () => database.prepare('INSERT INTO numbers VALUES (?)').run(number);
  const count = () => database.prepare('SELECT count(*) FROM numbers').pluck().get();
  return { insert, count, database, commits: createGroupCommit(transactionOf(database, { syncLog })) };
}

test('commit() syncs the log once for a group, when SQLite has written it', () => {
  const states: unknown[] = [];
  const { insert, count, database, commits } = world(() => states.push([database.inTransaction, count()]));
  expect(commits.run([insert(1), insert(2)])).toHaveLength(2);
  expect(states).toEqual([[false, 2]]);
});

test('a sync of the log that fails is the end: nobody is told that anything was written, and nothing is tried again', () => {
  let syncs = 0;
  const { insert, count, commits } = world(() => {
    syncs += 1;
    throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
  });
  const lost = {
    failure: { kind: 'lost', message: expect.stringContaining('cannot sync the write-ahead log') },
  };
  expect(commits.run([insert(1), insert(2)])).toEqual([lost, lost]);
  expect(commits.run([insert(3)])).toEqual([lost]);
  expect([syncs, count()]).toEqual([1, 2]);
});

test('a transaction that is rolled back is not synced', () => {
  let syncs = 0;
  const { insert, count, commits } = world(() => {
    syncs += 1;
  });
  const refuse = () => {
    throw new Error('refused');
  };
  expect(commits.run([refuse])).toEqual([{ failure: { kind: 'refused', message: 'refused' } }]);
  expect([syncs, count()]).toEqual([0, 0]);
  expect(commits.run([insert(1)])).toHaveLength(1);
  expect(syncs).toBe(1);
});
