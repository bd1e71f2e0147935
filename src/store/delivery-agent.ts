/**
 * The local delivery agent as its callers see it: a thread of its own writes into the mailboxes, so that the network thread
 * never waits for a disk, and many messages share what a delivery costs (maildir-batch.ts). Started by the first delivery.
 */

import { Worker } from 'node:worker_threads';
import { Arena } from './arena.ts';
import { type DeliveryName, deliver, type MaildirOutcome } from './maildir.ts';
import type { SmallDelivery } from './maildir-batch.ts';
import type { Content } from './message.ts';
import { octetsOf } from './octets.ts';

export interface LocalDelivery extends DeliveryName {
  /** The end of an earlier attempt is not known: look first whether the file is there. */
  inDoubt: boolean;
  /** In front of the content; CRLF line ends, as the content has them. */
  fields: readonly Buffer[];
  content: Content;
}

export interface DeliveryAgent {
  /** Resolves when the message is in the mailbox, durably, or what went wrong is known. */
  deliver(delivery: LocalDelivery): Promise<MaildirOutcome>;
  /** Ends the thread; to be called when nothing is under way. */
  close(): Promise<void>;
}

/** With the number by which its outcome is known. */
export type Numbered<T> = [id: number, delivery: T];

/** What was asked for in one turn of the event loop, its octets in memory that comes along; or one that takes longer. */
export type AgentRequest =
  | { batch: Numbered<SmallDelivery>[]; blocks: ArrayBuffer[] }
  | { alone: Numbered<LocalDelivery> };

/** `blocks`: the memory that came along goes back. */
export interface AgentReply {
  results: [id: number, outcome: MaildirOutcome][];
  blocks: ArrayBuffer[];
}

/** Delivers on the caller's own thread, each message by itself. */
export function createDirectAgent(): DeliveryAgent {
  return {
    // maildir.ts copies each chunk before it asks for the next, but for the last.
    deliver: ({ fields, content, ...rest }) =>
      deliver({ ...rest, octets: octetsOf(fields, content, { shared: true }) }),
    close: async () => {},
  };
}

/** Delivers on a thread of its own. */
export function createDeliveryAgent(): DeliveryAgent {
  return new ThreadedAgent();
}

/** An open file does not travel between threads; its path does. */
function withoutFile(content: Content): Content {
  if (content.kind !== 'spool') return content;
  const { file: _, ...rest } = content;
  return rest;
}

class ThreadedAgent implements DeliveryAgent {
  #worker: Worker | undefined;
  readonly #arena = new Arena();
  readonly #pending = new Map<number, (outcome: MaildirOutcome) => void>();
  #lastId = 0;
  #batch: Numbered<SmallDelivery>[] = [];

  deliver(delivery: LocalDelivery): Promise<MaildirOutcome> {
    return new Promise((resolve) => {
      this.#lastId += 1;
      this.#pending.set(this.#lastId, resolve);
      const { content, inDoubt, fields, ...name } = delivery;
      if (content.kind === 'inline' && !inDoubt)
        this.#gather([this.#lastId, { ...name, bytes: this.#arena.put(...fields, content.bytes) }]);
      else this.#post({ alone: [this.#lastId, { ...delivery, content: withoutFile(content) }] });
    });
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #gather(numbered: Numbered<SmallDelivery>): void {
    this.#batch.push(numbered);
    if (this.#batch.length > 1) return;
    setImmediate(() => {
      const blocks = this.#arena.take();
      this.#post({ batch: this.#batch, blocks }, blocks);
      this.#batch = [];
    });
  }

  #post(request: AgentRequest, blocks: ArrayBuffer[] = []): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(request, blocks);
  }

  #start(): Worker {
    const worker = new Worker(new URL('./delivery-agent-thread.ts', import.meta.url), { name: 'deliver' });
    worker.on('message', (reply: AgentReply) => this.#receive(reply));
    worker.on('error', (error) => this.#fail(worker, String(error)));
    worker.on('exit', () => this.#fail(worker, 'it ended'));
    return worker;
  }

  #receive({ results, blocks }: AgentReply): void {
    this.#arena.giveBack(blocks);
    for (const [id, outcome] of results) {
      const pending = this.#pending.get(id);
      this.#pending.delete(id);
      pending?.(outcome);
    }
  }

  /** What was under way may have been delivered: it is tried again, and looked for then. The next delivery gets a new thread. */
  #fail(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const outcome: MaildirOutcome = { kind: 'failed', text: `the delivery thread failed: ${reason}` };
    for (const resolve of this.#pending.values()) resolve(outcome);
    this.#pending.clear();
  }
}
