/**
 * Receives one message's data, after DATA or in BDAT chunks (RFC 5321 §4.1.1.4, RFC 3030), and counts it. Data above
 * the size limit is read on for as much again and dropped, since few clients look for a reply before they have sent
 * all. Knows no commands and no replies but those that refuse the message.
 */

import type { LineReader } from '../util/line-reader.ts';
import { DataReader } from './data-reader.ts';
import type { Reply } from './reply.ts';
import { bareNewline, tooLarge } from './session-replies.ts';

/**
 * A piece of the message; or `starved` of octets; or a chunk is read and another must follow; or all of the message is
 * there; or far too much of it came.
 */
export type Received = Buffer | 'starved' | 'chunkRead' | 'complete' | 'overflow';

export interface ReceiverOptions {
  /** DATA: dot-stuffed, ends with its terminator. BDAT: counted. */
  dotted: boolean;
  bareNewline: 'reject' | 'normalize';
  messageBytes: number;
}

export class MessageReceiver {
  sizeBytes = 0;
  readonly #messageBytes: number;
  readonly #reader: DataReader;
  /** Octets of the current BDAT chunk still to come, and whether it is the last. */
  #remaining = Number.POSITIVE_INFINITY;
  #last = true;

  constructor({ dotted, bareNewline, messageBytes }: ReceiverOptions) {
    this.#messageBytes = messageBytes;
    this.#reader = new DataReader({ dotted, normalize: bareNewline === 'normalize' });
  }

  /** A BDAT chunk of so many octets follows. */
  startChunk({ sizeBytes, last }: { sizeBytes: number; last: boolean }): void {
    this.#remaining = sizeBytes;
    this.#last = last;
  }

  /** The next piece from the input. */
  receive(input: LineReader): Received {
    for (;;) {
      const piece = this.#reader.take();
      if (piece) {
        this.sizeBytes += piece.length;
        if (this.sizeBytes <= this.#messageBytes) return piece;
        if (this.sizeBytes > 2 * this.#messageBytes) return 'overflow';
      }
      if (this.#reader.ended) return 'complete';
      if (this.#remaining === 0) {
        if (!this.#last) return 'chunkRead';
        this.#reader.finish(); // may give what was held back
        continue;
      }
      const used = input.consume(this.#remaining, (bytes) => this.#reader.read(bytes));
      this.#remaining -= used;
      if (used === 0) return 'starved';
    }
  }

  /** Why the message cannot be taken, or undefined. */
  get fault(): Reply | undefined {
    if (this.sizeBytes > this.#messageBytes) return tooLarge(this.#messageBytes);
    return this.#reader.bareNewline ? bareNewline : undefined;
  }
}
