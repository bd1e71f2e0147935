/**
 * Group commit: all operations that have arrived run in one transaction, so that one fsync serves them all. Decides
 * what a failure means: for one operation, for the group, or for the store as a whole. Knows no table.
 */

import type { Failure } from './protocol.ts';

/** The transaction of a connection, by hand. */
export interface Transaction {
  begin(): void;
  /** Returns when the transaction is on disk. */
  commit(): void;
  /** Undoes what is open; nothing where SQLite has done so itself. */
  rollback(): void;
}

export type OperationResult = { value: unknown } | { failure: Failure };

export interface GroupCommit {
  /** Runs the group and commits it; a result per operation, in their order. Never throws. */
  run(group: readonly (() => unknown)[]): OperationResult[];
  /** The failure after which nothing is promised any more, once there is one. */
  readonly lost: Failure | undefined;
}

export function createGroupCommit(transaction: Transaction): GroupCommit {
  let lost: Failure | undefined;

  function run(group: readonly (() => unknown)[]): OperationResult[] {
    if (lost !== undefined) return rejected(group, lost);
    try {
      return together(transaction, group);
    } catch (error) {
      const failure = failureOf(error);
      if (failure.kind === 'lost') lost = failure;
      // One operation of many is guilty: alone, each shows whether it is the one.
      if (failure.kind === 'refused' && group.length > 1)
        return group.flatMap((operation) => run([operation]));
      return rejected(group, failure);
    }
  }

  return {
    run,
    get lost() {
      return lost;
    },
  };
}

function together(transaction: Transaction, group: readonly (() => unknown)[]): OperationResult[] {
  transaction.begin();
  try {
    const results = group.map((operation) => ({ value: operation() }));
    transaction.commit();
    return results;
  } catch (error) {
    transaction.rollback();
    throw error;
  }
}

const rejected = (group: readonly unknown[], failure: Failure): OperationResult[] =>
  group.map(() => ({ failure }));

/**
 * Codes after which the file or the disk cannot be trusted. After a failed fsync the kernel may have dropped the pages
 * and call the next fsync a success, so trying again proves nothing.
 */
const losing = /^SQLITE_(IOERR|CORRUPT|NOTADB|READONLY|CANTOPEN|PROTOCOL|BUSY)/;

/** What an exception means, by SQLite's extended result code. */
export function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (losing.test(code)) return { kind: 'lost', message: `${message} (${code})` };
  return { kind: code === 'SQLITE_FULL' ? 'full' : 'refused', message };
}
