/**
 * The store thread: owns the database, takes batches of operations, commits all that have arrived as one group, and
 * answers. It blocks on the disk so that nobody else has to.
 */

import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { StoreOpenError } from '../errors.ts';
import { createGroupCommit, failureOf, type GroupCommit, type OperationResult } from './group-commit.ts';
import { type OpenEngine, openEngine } from './open-engine.ts';
import type { Engine } from './operations.ts';
import type { Batch, BatchReply, Failure, Operation, Order, Report } from './protocol.ts';
import { transactionOf } from './transaction.ts';
import { type Checkpoints, createCheckpoints, examineRest } from './upkeep.ts';

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
    const { engine, inDoubt, evidence, upgraded } = opened;
    tell({ kind: 'opened', spooled: engine.spoolSizes(), inDoubt, evidence, ...(upgraded && { upgraded }) });
  } catch (error) {
    if (!(error instanceof StoreOpenError)) throw error;
    tell({ kind: 'unopened', failure: { kind: error.kind, message: error.message } });
    port.close();
  }
}

function serve(port: MessagePort, tell: (report: Report) => void, opened: OpenEngine): void {
  const { database, engine, books } = opened;
  const commits = createGroupCommit(transactionOf(database, books));
  const checkpoints = createCheckpoints(books);
  const stopExamining = examineRest(books, (error) =>
    tell({ kind: 'lost', message: failureOf(error).message }),
  );
  port.on('message', (first: Batch) => {
    const { batches, order } = drain(port, first);
    if (batches.length > 0) {
      const replies = runBatches(batches, commits, engine);
      const blocks = batches.flatMap((batch) => batch.blocks);
      port.postMessage({ kind: 'done', replies, blocks } satisfies Report, blocks);
    }
    if (order === 'close') {
      stopExamining();
      tellIfLost(() => opened.close(commits.lost === undefined ? 'whole' : 'lost'), tell);
      tell({ kind: 'closed' });
      port.close();
    } else if (order === 'freeze') tell({ kind: 'frozen', ...freeze(checkpoints, commits) });
    else if (order === 'thaw') tell({ kind: 'thawed', held: checkpoints.thaw() });
    if (order !== 'close' && commits.lost === undefined) tellIfLost(() => checkpoints.afterGroup(), tell);
  });
}

function freeze(checkpoints: Checkpoints, { lost }: GroupCommit): { failure?: Failure } {
  if (lost !== undefined) return { failure: lost };
  try {
    if (checkpoints.freeze()) return {};
    return { failure: { kind: 'full', message: 'the write-ahead log cannot be copied back' } };
  } catch (error) {
    return { failure: failureOf(error) };
  }
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

type Operating = Exclude<Batch, Order>;

/** Takes, besides the first, what came in while the last commit ran, up to an order. */
function drain(port: MessagePort, first: Batch): { batches: Operating[]; order?: Order } {
  const batches: Operating[] = [];
  let operations = 0;
  for (
    let batch: Batch | undefined = first;
    batch !== undefined;
    batch = receiveMessageOnPort(port)?.message
  ) {
    if (typeof batch === 'string') return { batches, order: batch };
    batches.push(batch);
    operations += batch.operations.length;
    if (operations >= groupOperations) break;
  }
  return { batches };
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
