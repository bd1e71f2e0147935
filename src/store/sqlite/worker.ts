/**
 * The store thread: owns the database, takes batches of operations, commits all that have arrived as one group, and
 * answers. It blocks on the disk so that nobody else has to.
 */

import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { StoreOpenError } from '../errors.ts';
import { createGroupCommit, failureOf, type GroupCommit, type OperationResult } from './group-commit.ts';
import { voidClaims } from './jobs.ts';
import { createEngine, type Engine } from './operations.ts';
import type { Batch, BatchReply, Failure, Operation, Report } from './protocol.ts';
import { openDatabase, openError } from './schema.ts';
import { createCheckpoints } from './upkeep.ts';

export interface StoreThreadData {
  databasePath: string;
  dataDir: string;
}

/** Operations above which a group takes in no further batch: the first ones have waited long enough. */
const groupOperations = 2000;

function start(port: MessagePort, { databasePath, dataDir }: StoreThreadData): void {
  const tell = (report: Report) => port.postMessage(report);
  try {
    const database = openDatabase(databasePath, dataDir);
    const inDoubt = voidClaims(database);
    const engine = createEngine(database);
    serve(port, tell, database, engine);
    tell({ kind: 'opened', spooled: engine.spooled(), inDoubt });
  } catch (error) {
    const failure = openError(error, dataDir);
    if (!(failure instanceof StoreOpenError)) throw failure;
    tell({ kind: 'unopened', failure: { kind: failure.kind, message: failure.message } });
  }
}

function serve(port: MessagePort, tell: (report: Report) => void, database: Database, engine: Engine): void {
  const commits = createGroupCommit(transactionOf(database));
  const checkpoint = createCheckpoints(database);
  port.on('message', (first: Batch) => {
    const { batches, closing } = drain(port, first);
    if (batches.length > 0) tell({ kind: 'done', replies: runBatches(batches, commits, engine) });
    if (closing) {
      database.close();
      tell({ kind: 'closed' });
      port.close();
    } else if (commits.lost === undefined) {
      try {
        checkpoint();
      } catch (error) {
        const failure = failureOf(error);
        // On a full disk the log simply stays, and is copied back when there is room again.
        if (failure.kind !== 'full') tell({ kind: 'lost', message: failure.message });
      }
    }
  });
}

/** Takes, besides the first, what came in while the last commit ran. */
function drain(port: MessagePort, first: Batch): { batches: Operation[][]; closing: boolean } {
  const batches: Operation[][] = [];
  let operations = 0;
  for (
    let batch: Batch | undefined = first;
    batch !== undefined;
    batch = receiveMessageOnPort(port)?.message
  ) {
    if (batch === 'close') return { batches, closing: true };
    batches.push(batch);
    operations += batch.length;
    if (operations >= groupOperations) break;
  }
  return { batches, closing: false };
}

function runBatches(batches: Operation[][], commits: GroupCommit, engine: Engine): BatchReply[] {
  const results = commits.run(batches.flat().map((operation) => () => engine.perform(operation)));
  let start = 0;
  return batches.map(({ length }) => {
    const own = results.slice(start, start + length);
    start += length;
    return replyOf(own);
  });
}

function replyOf(results: OperationResult[]): BatchReply {
  const values: unknown[] = [];
  const failures: [number, Failure][] = [];
  for (const [position, result] of results.entries()) {
    if ('failure' in result) failures.push([position, result.failure]);
    else if (result.value !== undefined) values[position] = result.value;
  }
  return { ...(values.length > 0 && { values }), ...(failures.length > 0 && { failures }) };
}

function transactionOf(database: Database) {
  const [begin, commit, rollback] = ['BEGIN', 'COMMIT', 'ROLLBACK'].map((sql) => database.prepare(sql));
  return {
    begin: () => void begin?.run(),
    commit: () => void commit?.run(),
    rollback: () => void (database.inTransaction && rollback?.run()),
  };
}

if (parentPort !== null) start(parentPort, workerData);
