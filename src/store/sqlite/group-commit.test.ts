import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { createGroupCommit, type Transaction } from './group-commit.ts';

/** A database with one table of distinct numbers; `commit` may be replaced to fail. */
function world(commit?: () => void) {
  const database = new Database(':memory:');
  database.exec('CREATE TABLE numbers (value INTEGER PRIMARY KEY, padding TEXT)');
  let commits = 0;
  const transaction: Transaction = {
    begin: () => database.exec('BEGIN'),
    commit() {
      commit?.();
      database.exec('COMMIT');
      commits += 1;
    },
    rollback: () => void (database.inTransaction && database.exec('ROLLBACK')),
  };
  const insert =
    (value: number, padding = '') =>
    () => {
      database.prepare('INSERT INTO numbers VALUES (?, ?)').run(value, padding);
      return value;
    };
  const stored = () => database.prepare('SELECT value FROM numbers').pluck().all();
  return { database, group: createGroupCommit(transaction), insert, stored, commits: () => commits };
}

function failWith(code: string): () => never {
  return () => {
    throw new Database.SqliteError('as told', code);
  };
}

test('run() commits a whole group once', () => {
  const { group, insert, stored, commits } = world();
  expect(group.run([insert(1), insert(2), insert(3)])).toEqual([{ value: 1 }, { value: 2 }, { value: 3 }]);
  expect(stored()).toEqual([1, 2, 3]);
  expect(commits()).toBe(1);
});

test('run() refuses only the guilty operation of a group', () => {
  const { group, insert, stored } = world();
  const results = group.run([insert(1), insert(1), insert(2)]);
  expect(results).toMatchObject([{ value: 1 }, { failure: { kind: 'refused' } }, { value: 2 }]);
  expect(stored()).toEqual([1, 2]);
});

test('run() rejects the group when the disk is full and takes the next one', () => {
  const { database, group, insert, stored } = world();
  database.pragma('max_page_count = 4');
  const results = group.run([insert(1), insert(2, 'x'.repeat(100_000))]);
  expect(results).toMatchObject([{ failure: { kind: 'full' } }, { failure: { kind: 'full' } }]);
  expect(group.run([insert(3)])).toEqual([{ value: 3 }]);
  expect(stored()).toEqual([3]);
});

test.each(['SQLITE_IOERR_FSYNC', 'SQLITE_IOERR_WRITE', 'SQLITE_CORRUPT'])(
  'run() acknowledges nothing any more after %s',
  (code) => {
    const { group, insert } = world(failWith(code));
    const lost = { failure: { kind: 'lost', message: `as told (${code})` } };
    expect(group.run([insert(1), insert(2)])).toEqual([lost, lost]);
    expect(group.run([() => 'never run'])).toEqual([lost]);
    expect(group.lost).toMatchObject({ kind: 'lost' });
  },
);
