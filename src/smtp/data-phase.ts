/**
 * The part of an SMTP session in which octets are a message and not commands: after DATA, and within BDAT chunks
 * (RFC 5321 §4.1.1.4, RFC 3030 §2). A chunk that is not wanted has to be read all the same. Knows nothing of order:
 * command-order.ts has said before whether a chunk may come.
 */

import type { LineReader } from '../util/line-reader.ts';
import type { Command } from './command.ts';
import { MessageReceiver } from './message-receiver.ts';
import type { Reply } from './reply.ts';
import type { SmtpEvent, SmtpSessionOptions } from './session-options.ts';
import { chunkOk, startData, tooLarge } from './session-replies.ts';

type Bdat = Command & { verb: 'BDAT' };

/** What came of reading: nothing yet, an event, or something to say, after which commands follow or it is over. */
export type DataStep =
  | 'starved'
  | { event: SmtpEvent }
  | { say: Reply; next: 'command' | 'refused' | 'ended' };

export class DataPhase {
  readonly #input: LineReader;
  readonly #options: Pick<SmtpSessionOptions, 'bareNewline' | 'messageBytes'>;
  #receiver: MessageReceiver | undefined;
  /** The first chunk, while the application is asked whether it wants a message. */
  #first: Bdat | undefined;
  #unwanted: { octets: number; refusal: Reply } | undefined;

  constructor(input: LineReader, options: Pick<SmtpSessionOptions, 'bareNewline' | 'messageBytes'>) {
    this.#input = input;
    this.#options = options;
  }

  /** A chunk follows. True where the application must be asked first: it is the message's first one. */
  startChunk(chunk: Bdat, refusal: Reply | undefined): boolean {
    if (refusal) this.#unwanted = { octets: chunk.sizeBytes, refusal };
    else if (this.#receiver) this.#receiver.startChunk(chunk);
    else this.#first = chunk;
    return this.#first !== undefined;
  }

  /** The application's word on the message. Returns what is to be said now: after a BDAT, nothing before it is read. */
  start(refusal: Reply | undefined): Reply | undefined {
    const chunk = this.#first;
    this.#first = undefined;
    if (!refusal) this.#receiver = new MessageReceiver({ dotted: !chunk, ...this.#options });
    if (!chunk) return refusal ?? startData;
    this.startChunk(chunk, refusal);
    return undefined;
  }

  /** The message is over, one way or the other. */
  end(): void {
    this.#receiver = undefined;
  }

  step(): DataStep {
    if (this.#unwanted) return this.#skip(this.#unwanted);
    const received = this.#receiver?.receive(this.#input) ?? 'starved';
    switch (received) {
      case 'starved':
        return 'starved';
      case 'overflow':
        return this.#overflow();
      case 'chunkRead':
        return { say: chunkOk, next: 'command' };
      case 'complete':
        return { event: this.#messageEvent() };
      default:
        return { event: { type: 'chunk', bytes: received } };
    }
  }

  #messageEvent(): SmtpEvent {
    const { sizeBytes = 0, fault } = this.#receiver ?? {};
    return fault ? { type: 'message', sizeBytes, fault } : { type: 'message', sizeBytes };
  }

  #skip({ octets, refusal }: { octets: number; refusal: Reply }): DataStep {
    if (octets > 2 * this.#options.messageBytes) return this.#overflow();
    const left = octets - this.#input.consume(octets, (bytes) => bytes.length);
    this.#unwanted = left > 0 ? { octets: left, refusal } : undefined;
    return left > 0 ? 'starved' : { say: refusal, next: 'refused' };
  }

  #overflow(): DataStep {
    return { say: tooLarge(this.#options.messageBytes), next: 'ended' };
  }
}
