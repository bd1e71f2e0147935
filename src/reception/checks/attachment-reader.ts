/**
 * Finds what large messages have attached on a thread of its own, which reads the spool file itself: none of their octets
 * come to the network thread for it, and a message that takes too long or too much memory is one of which that is not
 * known. One message at a time; the thread begins with the first one, and ends when none has come for a while.
 */

import { Worker } from 'node:worker_threads';
import type { Attachments } from '../../mail/attachments.ts';
import { errorCode } from '../../store/errors.ts';
import type { Content } from '../../store/message.ts';
import type { Clock } from '../../util/clock.ts';
import { turnstile } from '../../util/turnstile.ts';

export type Spooled = Content & { kind: 'spool' };

export interface AttachmentReader {
  /** Rejects where the content cannot be read. */
  read(content: Spooled): Promise<Attachments>;
  /** Ends the thread for good; who waits still is rejected. */
  stop(): Promise<void>;
}

/** `problem`: why the content cannot be read. */
export type AttachmentReply = { attachments: Attachments } | { problem: string };

/** For one message; the worst ones of 32 MiB that are known take 2 s. */
export const readTimeoutMs = 10_000;
/** How long the thread is kept without a message. */
export const idleMs = 30_000;
/** Of the thread, besides the message's own octets: millions of header fields would take more. */
const defaultHeapMb = 256;

export function createAttachmentReader(clock: Clock, heapMb = defaultHeapMb): AttachmentReader {
  return new ThreadedReader(clock, heapMb);
}

class ThreadedReader implements AttachmentReader {
  readonly #clock: Clock;
  readonly #heapMb: number;
  readonly #turns = turnstile(1);
  #worker: Worker | undefined;
  #stayAwake = () => {};
  #isStopped = false;

  constructor(clock: Clock, heapMb: number) {
    this.#clock = clock;
    this.#heapMb = heapMb;
  }

  async read(content: Spooled): Promise<Attachments> {
    await this.#turns.enter();
    this.#stayAwake();
    try {
      if (this.#isStopped) throw new Error('attachments are not read any more: the server stops');
      return await this.#ask(this.#worker ?? this.#start(), content);
    } finally {
      if (this.#worker) this.#stayAwake = this.#clock.after(idleMs, () => void this.#rest());
      this.#turns.leave();
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stayAwake();
    await this.#rest();
  }

  async #ask(worker: Worker, content: Spooled): Promise<Attachments> {
    const { promise, resolve, reject } = Promise.withResolvers<Attachments>();
    const onMessage = (reply: AttachmentReply) =>
      'problem' in reply ? reject(new Error(reply.problem)) : resolve(reply.attachments);
    const onError = (error: unknown) =>
      isOutOfMemory(error) ? resolve(unread('reading it took too much memory')) : reject(error);
    const onExit = () => reject(new Error('the thread that reads attachments has ended'));
    worker.once('message', onMessage).once('error', onError).once('exit', onExit);
    const cancel = this.#clock.after(readTimeoutMs, () => {
      resolve(unread(`reading it took over ${readTimeoutMs / 1000} s`));
      void this.#rest();
    });
    worker.postMessage(withoutFile(content));
    try {
      return await promise;
    } finally {
      cancel();
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
    }
  }

  async #rest(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./attachment-thread.ts', import.meta.url), {
      name: 'attachments',
      resourceLimits: { maxOldGenerationSizeMb: this.#heapMb },
    });
    const forget = () => {
      if (this.#worker === worker) this.#worker = undefined;
    };
    worker.on('error', forget).once('exit', forget);
    this.#worker = worker;
    return worker;
  }
}

/** An open file does not travel between threads; its path does. */
function withoutFile({ file: _, ...rest }: Spooled): Spooled {
  return rest;
}

const isOutOfMemory = (error: unknown): boolean => errorCode(error) === 'ERR_WORKER_OUT_OF_MEMORY';

const unread = (cut: string): Attachments => ({ names: [], extensions: [], types: [], cut });
