/**
 * The store of src/, opened in this thread: the same files, recovery, tables and transactions, but no thread of its own,
 * which would take longer to start than everything else that a crash point needs. Follows openStore() and worker.ts.
 */

import { join } from 'node:path';
import { Arena } from '../../../src/store/arena.ts';
import { createDirectory } from '../../../src/store/directory-sync.ts';
import { StoreFullError } from '../../../src/store/errors.ts';
import { sweepSpool } from '../../../src/store/spool-sweep.ts';
import { createClient } from '../../../src/store/sqlite/client.ts';
import { createGroupCommit, type GroupCommit } from '../../../src/store/sqlite/group-commit.ts';
import type { Link } from '../../../src/store/sqlite/link.ts';
import { type OpenEngine, openEngine } from '../../../src/store/sqlite/open-engine.ts';
import type { Operation } from '../../../src/store/sqlite/protocol.ts';
import { transactionOf } from '../../../src/store/sqlite/transaction.ts';
import { createCheckpoints } from '../../../src/store/sqlite/upkeep.ts';
import type { Store } from '../../../src/store/store.ts';
import type { Clock } from '../../../src/util/clock.ts';

export interface StoreHere {
  store: Store;
  /** SQLite's own look at the database; `ok`, or what is wrong. */
  check(): string;
}

/** Rejects as openStore() does. */
export async function openStoreHere(dataDir: string, clock: Clock): Promise<StoreHere> {
  for (const part of ['store', 'spool', 'accounts']) await createDirectory(join(dataDir, part));
  const opened = openEngine({ dataDir });
  await sweepSpool({ dataDir, named: new Set(opened.engine.spooled()), isDoubtful: false });
  const link = linkHere(opened);
  const store = createClient({ link, dataDir, clock, warn: () => undefined });
  return { store, check: () => String(opened.database.pragma('quick_check', { simple: true })) };
}

/** Each operation in a transaction of its own, performed before its promise is given out. */
function linkHere({ database, engine, books, close }: OpenEngine): Link {
  const commits = createGroupCommit(transactionOf(database, books));
  const checkpoints = createCheckpoints(books);
  let isOpen = true;
  return {
    arena: new Arena(),
    idle: true,
    broken: new Promise(() => undefined),
    async call(name, argument) {
      // A pair of the Operation type, and its answer of the Result type, as in link.ts.
      const result = resultOf(commits, () => engine.perform([name, argument] as unknown as Operation));
      checkpoints.afterGroup();
      return result as never;
    },
    async freeze() {
      if (!checkpoints.freeze()) throw new StoreFullError('no room');
    },
    thaw: async () => checkpoints.thaw(),
    async close() {
      if (isOpen) close(commits.lost === undefined ? 'whole' : 'lost');
      isOpen = false;
    },
  };
}

function resultOf(commits: GroupCommit, action: () => unknown): unknown {
  const [result] = commits.run([action]);
  if (result === undefined) throw new Error('A group of one has no result');
  if ('value' in result) return result.value;
  const { kind, message } = result.failure;
  throw kind === 'full' ? new StoreFullError(message) : new Error(message);
}
