/**
 * The store thread: owns the database, takes batches of operations, commits all that have arrived as one group, and
 * answers. It blocks on the disk so that nobody else has to.
 */

import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { StoreOpenError } from '../errors.ts';
import { createGroupCommit, failureOf, type GroupCommit, type OperationResult } from './group-commit.ts';
import { type OpenEngine, openEngine } from './open-engine.ts';
import type { Engine } from './operations.ts';
import type { Batch, BatchReply, Failure, Operation, Report } from './protocol.ts';
import { transactionOf } from './transaction.ts';
import { createCheckpoints, examineRest } from './upkeep.ts';

export interface StoreThreadData {
  /** With its folders made. */
  dataDir: string;
  afresh: boolean;
}

/** Operations above which a group takes in no further batch: the first ones have waited long enough. */
const groupOperations = 2000;

function start(port: MessagePort, data: StoreThreadData): void {
  const tell = (report: Report) => port.postMessage(report);
  try {
    const opened = openEngine(data);
    serve(port, tell, opened);
    const { engine, inDoubt, evidence } = opened;
    tell({ kind: 'opened', spooled: engine.spoolSizes(), inDoubt, evidence });
  } catch (error) {
    if (!(error instanceof StoreOpenError)) throw error;
    tell({ kind: 'unopened', failure: { kind: error.kind, message: error.message } });
    port.close();
  }
}

function serve(port: MessagePort, tell: (report: Report) => void, opened: OpenEngine): void {
  const { database, engine, books } = opened;
  const commits = createGroupCommit(transactionOf(database, books));
  const checkpoint = createCheckpoints(books);
  const stopExamining = examineRest(books, (error) =>
    tell({ kind: 'lost', message: failureOf(error).message }),
  );
  port.on('message', (first: Batch) => {
    const { batches, closing } = drain(port, first);
    if (batches.length > 0) {
      const replies = runBatches(batches, commits, engine);
      const blocks = batches.flatMap((batch) => batch.blocks);
      port.postMessage({ kind: 'done', replies, blocks } satisfies Report, blocks);
    }
    if (closing) {
      stopExamining();
      tellIfLost(() => opened.close(commits.lost === undefined ? 'whole' : 'lost'), tell);
      tell({ kind: 'closed' });
      port.close();
    } else if (commits.lost === undefined) tellIfLost(checkpoint, tell);
  });
}

/** On a full disk the log simply stays, and is copied back when there is room again. */
function tellIfLost(action: () => void, tell: (report: Report) => void): void {
  try {
    action();
  } catch (error) {
    const failure = failureOf(error);
    if (failure.kind !== 'full') tell({ kind: 'lost', message: failure.message });
  }
}

/** Takes, besides the first, what came in while the last commit ran. */
function drain(port: MessagePort, first: Batch): { batches: Exclude<Batch, 'close'>[]; closing: boolean } {
  const batches: Exclude<Batch, 'close'>[] = [];
  let operations = 0;
  for (
    let batch: Batch | undefined = first;
    batch !== undefined;
    batch = receiveMessageOnPort(port)?.message
  ) {
    if (batch === 'close') return { batches, closing: true };
    batches.push(batch);
    operations += batch.operations.length;
    if (operations >= groupOperations) break;
  }
  return { batches, closing: false };
}

function runBatches(
  batches: readonly { operations: Operation[] }[],
  commits: GroupCommit,
  engine: Engine,
): BatchReply[] {
  const all = batches.flatMap(({ operations }) => operations);
  const results = commits.run(all.map((operation) => () => engine.perform(operation)));
  let start = 0;
  return batches.map(({ operations }) => {
    const own = results.slice(start, start + operations.length);
    start += operations.length;
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

if (parentPort !== null) start(parentPort, workerData);
