/**
 * Reads reports on a thread of its own, which can be ended: whatever a stranger has made of a report, the network thread
 * waits for nothing, and a report that takes too long or too much memory is one that cannot be read.
 */

import { Worker } from 'node:worker_threads';
import type { Clock } from '../../util/clock.ts';
import type { ReadReport } from './read-report.ts';

export interface ReportReader {
  /** One at a time. Never rejects. */
  read(message: Buffer): Promise<ReadReport>;
  /** Ends the thread; the next report starts another one. */
  rest(): Promise<void>;
}

export interface ReaderRequest {
  message: Uint8Array;
  tokenField: string;
}

export interface ReaderParts {
  clock: Clock;
  /** In lower case: the name of the field that our own mail is known by. */
  tokenField: string;
}

/** For one report; the largest that are real take a second. */
export const readTimeoutMs = 30_000;
/** Of the thread: a report of 20 MB becomes some 200 MB of elements. */
const maxHeapMb = 512;

export function createReportReader(parts: ReaderParts): ReportReader {
  return new ThreadedReader(parts);
}

class ThreadedReader implements ReportReader {
  readonly #parts: ReaderParts;
  #worker: Worker | undefined;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  async read(message: Buffer): Promise<ReadReport> {
    const { clock, tokenField } = this.#parts;
    const worker = this.#worker ?? this.#start();
    const { promise, resolve } = Promise.withResolvers<ReadReport>();
    const fail = (problem: string) => resolve({ kind: 'unreadable', problem });
    const onError = (error: unknown) =>
      fail(`reading it failed: ${error instanceof Error ? error.message : String(error)}`);
    const onExit = () => fail('reading it ended early');
    worker.once('message', resolve).once('error', onError).once('exit', onExit);
    const cancel = clock.after(readTimeoutMs, () => {
      fail(`reading it took over ${readTimeoutMs / 1000} s`);
      void this.rest();
    });
    worker.postMessage({ message, tokenField } satisfies ReaderRequest);
    try {
      return await promise;
    } finally {
      cancel();
      worker.off('message', resolve).off('error', onError).off('exit', onExit);
    }
  }

  async rest(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./reader-thread.ts', import.meta.url), {
      name: 'reports',
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
    });
    // What it says when nobody reads any more is for nobody.
    worker.on('error', () => {});
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
    });
    this.#worker = worker;
    return worker;
  }
}
