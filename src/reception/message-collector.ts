/**
 * Takes a message's octets as they stream in: the header section whole (bounded), the body in memory while it is small
 * and in a spool file from there on. The header may be edited before anything is kept. Knows nothing of SMTP.
 */

import type { Content } from '../store/message.ts';
import type { SpoolWriter } from '../store/spool.ts';

export interface CollectorParts {
  /** Opens a spool file for this message. */
  openSpool(): Promise<SpoolWriter>;
  /** Octets that are kept in memory; more goes to the spool. */
  inlineBytes: number;
  /** Octets of the header section; a longer one is a fault. */
  headerBytes: number;
  /** Sees the header section with its blank line, and returns what is to be kept of it. */
  editHeader(header: Buffer): Buffer;
  /** Sees the body in passing. */
  onBody?: ((chunk: Buffer) => void) | undefined;
}

/** Shorter pieces are joined: a message that comes octet by octet would else cost 150 octets for each of its own. */
const smallPieceBytes = 4096;

const cr = 0x0d;
const lf = 0x0a;

export class MessageCollector {
  readonly #parts: CollectorParts;
  /** Before the blank line: pieces of the header. After it: pieces of header and body not yet in the spool. */
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  #inBody = false;
  /** How much of the CRLF CRLF that ends the header has been seen: 0–4. A message may begin with its blank line. */
  #matched = 2;
  #spool: SpoolWriter | undefined;
  /** The last piece on its way into the spool. */
  #writing: Promise<void> | undefined;
  /** The header as it came, and as it is kept. */
  originalHeader: Buffer = Buffer.alloc(0);
  header: Buffer = Buffer.alloc(0);
  headerTooLong = false;

  constructor(parts: CollectorParts) {
    this.#parts = parts;
  }

  /** Returns a promise only where the spool must be waited for. Rejects with the disk's error. */
  add(bytes: Buffer): Promise<void> | undefined {
    if (this.headerTooLong) return undefined;
    if (this.#inBody) return this.#addBody(bytes);
    const bodyStart = this.#findHeaderEnd(bytes);
    this.#keep(bodyStart === undefined ? bytes : bytes.subarray(0, bodyStart));
    this.headerTooLong = this.#pieceBytes > this.#parts.headerBytes;
    if (this.headerTooLong) this.#pieces = [];
    if (bodyStart === undefined || this.headerTooLong) return undefined;
    this.#endHeader();
    return bodyStart < bytes.length ? this.#addBody(bytes.subarray(bodyStart)) : undefined;
  }

  /** The last octet was added. A message without a body ends with its header (RFC 5322 §3.5). */
  end(): void {
    if (!this.#inBody && !this.headerTooLong) this.#endHeader();
  }

  /** The kept content, durable if it is in the spool. */
  async finish(): Promise<Content> {
    if (!this.#spool) return { kind: 'inline', bytes: Buffer.concat(this.#pieces) };
    return this.#spool.commit();
  }

  /** Drops everything, the finished spool file too. Never to be called once the queue has the content. */
  async discard(): Promise<void> {
    this.#pieces = [];
    await Promise.allSettled([this.#writing]); // how it ended is told to who called add()
    await this.#spool?.abort();
    this.#spool = undefined;
  }

  /** Joins a small piece with those before it that are no larger, so that each octet is copied a few times at most. */
  #keep(bytes: Buffer): void {
    this.#pieceBytes += bytes.length;
    let piece = bytes;
    let before = this.#pieces.at(-1);
    while (before && before.length <= piece.length && piece.length < smallPieceBytes) {
      this.#pieces.pop();
      piece = Buffer.concat([before, piece]);
      before = this.#pieces.at(-1);
    }
    this.#pieces.push(piece);
  }

  /** Looks for the blank line across pieces; the offset after it, or undefined. */
  #findHeaderEnd(bytes: Buffer): number | undefined {
    for (let index = 0; index < bytes.length; index++) {
      const expected = this.#matched % 2 === 0 ? cr : lf;
      const octet = bytes[index];
      this.#matched = octet === expected ? this.#matched + 1 : octet === cr ? 1 : 0;
      if (this.#matched === 4) return index + 1;
    }
    return undefined;
  }

  #endHeader(): void {
    this.#inBody = true;
    // A copy in any case: a view would hold on to all that came in one piece with it.
    this.originalHeader = Buffer.concat(this.#pieces);
    this.header = this.#parts.editHeader(this.originalHeader);
    this.#pieces = [this.header];
    this.#pieceBytes = this.header.length;
  }

  #addBody(bytes: Buffer): Promise<void> | undefined {
    this.#parts.onBody?.(bytes);
    this.#writing = this.#spool ? (this.#spool.write(bytes) ?? undefined) : this.#keepOrSpill(bytes);
    return this.#writing;
  }

  #keepOrSpill(bytes: Buffer): Promise<void> | undefined {
    this.#keep(bytes);
    return this.#pieceBytes <= this.#parts.inlineBytes ? undefined : this.#spill();
  }

  async #spill(): Promise<void> {
    this.#spool = await this.#parts.openSpool();
    const pieces = this.#pieces;
    this.#pieces = [];
    for (const piece of pieces) await this.#spool.write(piece);
  }
}
