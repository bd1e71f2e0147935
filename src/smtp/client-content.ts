/**
 * How the octets of a message go out: after DATA, dot-stuffed and ended by a dot (RFC 5321 §4.1.1.4), or in BDAT chunks
 * of announced length (RFC 3030 §2). Both read the message as they write it, and hold a batch of it at most.
 */

import { DotStuffer } from '../util/dot-stuffing.ts';
import { type Conversation, ConversationError } from './conversation.ts';
import type { Transaction } from './transaction.ts';

/** Pieces of a message that are written together. */
const batchBytes = 65_536;

/**
 * Octets of one BDAT chunk; messages that fill more than one go out in them. Below, DATA is as quick: dot-stuffing costs
 * 0.1 ms for a MiB. Above, a receiver that does not want the message says so after a chunk and not after all of it.
 */
export const chunkBytes = 1024 * 1024;

export interface ContentParts {
  conversation: Conversation;
  transaction: Pick<Transaction, 'content' | 'sizeBytes'>;
  /** For room to write. */
  contentMs: number;
  /** From here on the receiver may have all of it. */
  onLast(): void;
}

/** Writes the message and its final dot. Rejects with a ConversationError. */
export async function sendDotted({
  conversation,
  transaction,
  contentMs,
  onLast,
}: ContentParts): Promise<void> {
  const stuffer = new DotStuffer();
  let batch: Buffer[] = [];
  let sizeBytes = 0;
  let whole = false;
  try {
    for await (const chunk of transaction.content()) {
      batch.push(stuffer.push(chunk));
      sizeBytes += chunk.length;
      if (sizeBytes < batchBytes) continue;
      await conversation.sendContent(batch, contentMs);
      batch = [];
      sizeBytes = 0;
    }
    batch.push(stuffer.end());
    whole = true;
    onLast();
  } finally {
    record(conversation, stuffer.contentBytes, whole);
  }
  conversation.dialogue.client('.');
  await conversation.sendContent(batch, contentMs);
}

/**
 * Writes the message in chunks and waits for `answered` after each but the last, whose reply is about the message: so a
 * refusal is never followed by a chunk that could be taken for the rest of a message. Rejects with a ConversationError.
 */
export async function sendChunked(parts: ContentParts & { answered(): Promise<void> }): Promise<void> {
  const { conversation, transaction, onLast } = parts;
  const { sizeBytes } = transaction;
  const chunks = new Chunks(parts);
  // Held back: that the message is whole is known when there is no more of it, and its last octet is its end here.
  let held: Buffer = Buffer.alloc(0);
  try {
    for await (const piece of transaction.content()) {
      await chunks.write(held);
      held = piece;
    }
    if (chunks.sent + held.length !== sizeBytes) throw wrongLength(sizeBytes);
    await chunks.write(held, onLast);
  } finally {
    record(conversation, chunks.sent, chunks.sent === sizeBytes);
  }
}

class Chunks {
  readonly #parts: ContentParts & { answered(): Promise<void> };
  /** Octets of the current chunk still to come. */
  #left = 0;
  sent = 0;

  constructor(parts: ContentParts & { answered(): Promise<void> }) {
    this.#parts = parts;
  }

  /** `onLast` is called before the octets go out that are the end of the message. */
  async write(octets: Buffer, onLast: () => void = () => undefined): Promise<void> {
    const { conversation, contentMs, transaction } = this.#parts;
    for (let rest = octets; rest.length > 0; ) {
      if (this.#left === 0) await this.#begin();
      const part = rest.subarray(0, this.#left);
      rest = rest.subarray(part.length);
      this.sent += part.length;
      this.#left -= part.length;
      if (this.sent === transaction.sizeBytes) onLast();
      await conversation.sendContent([part], contentMs);
    }
  }

  async #begin(): Promise<void> {
    const { conversation, transaction, answered } = this.#parts;
    const left = transaction.sizeBytes - this.sent;
    if (left <= 0) throw wrongLength(transaction.sizeBytes);
    if (this.sent > 0) await answered();
    this.#left = Math.min(chunkBytes, left);
    conversation.send([`BDAT ${this.#left}${left > chunkBytes ? '' : ' LAST'}`]);
  }
}

/** The length was announced, so that nothing can be mended: the receiver must not take what it has for a message. */
const wrongLength = (sizeBytes: number): ConversationError =>
  new ConversationError('content', `Cannot read the message: it does not have ${sizeBytes} octets any more`);

function record({ dialogue }: Conversation, sizeBytes: number, whole: boolean): void {
  dialogue.client(`(${sizeBytes} octets of message${whole ? '' : ', broken off'})`);
}

/** The message as it is read; that it cannot be read must never look like its end. */
export async function* readContent({ content }: Pick<Transaction, 'content'>): AsyncGenerator<Buffer> {
  try {
    yield* content();
  } catch (cause) {
    throw unreadable(cause);
  }
}

/** What an error of reading the message means for the conversation. */
export function unreadable(cause: unknown): ConversationError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ConversationError('content', `Cannot read the message: ${reason}`, { cause });
}
