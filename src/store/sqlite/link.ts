/**
 * The client's end of the store thread. Operations that are asked for in one turn of the event loop travel together,
 * and while an answer is awaited the next ones gather: the busier the server, the larger the groups that share a commit.
 */

import type { Worker } from 'node:worker_threads';
import { Arena } from '../arena.ts';
import { StoreBrokenError, StoreFullError } from '../errors.ts';
import type {
  Argument,
  Batch,
  BatchReply,
  Failure,
  Operation,
  OperationName,
  Report,
  Result,
} from './protocol.ts';

/**
 * Batches under way at once. With a second one on its way while the first is committed the thread would have less to wait
 * for, but a batch costs two messages between threads and a commit: fewer, larger ones cost a tenth less CPU time.
 */
const batchesUnderWay = 1;

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export interface Link {
  /** Rejects with StoreFullError, StoreBrokenError, or an Error where this operation alone was refused. */
  call<Name extends OperationName>(name: Name, argument: Argument<Name>): Promise<Result<Name>>;
  /**
   * Resolves when the database file holds all that was acknowledged before, and will not change until `thaw`. Rejects like
   * `call`. One at a time.
   */
  freeze(): Promise<void>;
  /** Resolves to whether it was frozen all the time: the log may have grown too long. */
  thaw(): Promise<boolean>;
  /** Where the octets of the operations that gather are put. */
  readonly arena: Arena;
  /** True while no operation gathers or is under way. */
  readonly idle: boolean;
  readonly broken: Promise<Error>;
  /**
   * Lets everything asked for be done, closes the database and ends the thread. Rejects with StoreBrokenError where the
   * last of it could not be written: nothing that was acknowledged depends on it.
   */
  close(): Promise<void>;
}

/** Takes over the worker after its `opened` report. */
export function linkTo(worker: Worker): Link {
  return new WorkerLink(worker);
}

class WorkerLink implements Link {
  readonly arena = new Arena();
  readonly broken: Promise<Error>;
  readonly #declareBroken: (error: Error) => void;
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  #gathering: Operation[] = [];
  #waiting: Pending[] = [];
  /** Of the batches under way, the oldest first: the thread answers in order. */
  readonly #sent: Pending[][] = [];
  #ordered: Pending | undefined;
  #scheduled = false;
  #refusal: Error | undefined;
  #closing = false;
  #lostAtEnd: Error | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.broken = promise;
    this.#declareBroken = resolve;
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve()));
    worker.on('message', (report: Report) => this.#receive(report));
    worker.on('error', (error: unknown) => this.#break(`the store thread failed: ${String(error)}`));
    worker.on('exit', () => {
      if (!this.#closing || this.#sent.length > 0) this.#break('the store thread ended');
    });
  }

  get idle(): boolean {
    return this.#gathering.length === 0 && this.#sent.length === 0;
  }

  call<Name extends OperationName>(name: Name, argument: Argument<Name>): Promise<Result<Name>> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    return new Promise((resolve, reject) => {
      // The pair is one of Operation and its answer a Result<Name>, which TypeScript does not follow through the queue.
      this.#gathering.push([name, argument] as unknown as Operation);
      this.#waiting.push({ resolve: resolve as (value: unknown) => void, reject });
      this.#schedule();
    });
  }

  async freeze(): Promise<void> {
    await this.#order('freeze');
  }

  async thaw(): Promise<boolean> {
    return (await this.#order('thaw')) === true;
  }

  #order(order: 'freeze' | 'thaw'): Promise<unknown> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    if (this.#ordered !== undefined) return Promise.reject(new Error('One order at a time'));
    return new Promise((resolve, reject) => {
      this.#ordered = { resolve, reject };
      this.#worker.postMessage(order satisfies Batch);
    });
  }

  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#send();
      this.#refusal ??= new Error('The store is closed');
      this.#worker.postMessage('close' satisfies Batch);
    }
    await this.#ended;
    if (this.#lostAtEnd !== undefined) throw this.#lostAtEnd;
  }

  /** setImmediate() runs once all sockets that had data have been read: their operations go together. */
  #schedule(): void {
    if (this.#scheduled || this.#sent.length >= batchesUnderWay) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#send();
    });
  }

  #send(): void {
    if (this.#gathering.length === 0 || this.#refusal !== undefined) return;
    const blocks = this.arena.take();
    this.#worker.postMessage({ operations: this.#gathering, blocks } satisfies Batch, blocks);
    this.#sent.push(this.#waiting);
    this.#gathering = [];
    this.#waiting = [];
  }

  #receive(report: Report): void {
    if (report.kind === 'lost') {
      const error = this.#break(report.message);
      if (this.#closing) this.#lostAtEnd = error;
    }
    if (report.kind === 'frozen' || report.kind === 'thawed') this.#endOrder(report);
    if (report.kind !== 'done') return;
    this.arena.giveBack(report.blocks);
    for (const reply of report.replies) this.#answer(reply, this.#sent.shift() ?? []);
    if (this.#gathering.length > 0) this.#schedule();
  }

  #endOrder(report: Extract<Report, { kind: 'frozen' | 'thawed' }>): void {
    const ordered = this.#ordered;
    this.#ordered = undefined;
    if (report.kind === 'frozen' && report.failure !== undefined)
      ordered?.reject(this.#errorOf(report.failure));
    else ordered?.resolve(report.kind === 'thawed' && report.held);
  }

  #answer({ values, failures }: BatchReply, pending: Pending[]): void {
    for (const [position, failure] of failures ?? []) pending[position]?.reject(this.#errorOf(failure));
    // Those that were rejected just now take no notice of this.
    for (const [position, { resolve }] of pending.entries()) resolve(values?.[position]);
  }

  #errorOf({ kind, message }: Failure): Error {
    if (kind === 'full') return new StoreFullError(`The disk is full: ${message}`);
    return kind === 'lost' ? this.#break(message) : new Error(message);
  }

  /** From here on nothing is promised. What is under way may or may not be on disk. */
  #break(reason: string): Error {
    const error = new StoreBrokenError(`The store cannot write any more: ${reason}`);
    if (this.#refusal instanceof StoreBrokenError) return this.#refusal;
    this.#refusal = error;
    for (const { reject } of [...this.#sent.flat(), ...this.#waiting]) reject(error);
    this.#ordered?.reject(error);
    this.#ordered = undefined;
    this.#sent.length = 0;
    this.#gathering = [];
    this.#waiting = [];
    this.#declareBroken(error);
    return error;
  }
}
