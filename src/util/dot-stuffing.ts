/**
 * Dot-stuffing, which SMTP (RFC 5321 §4.5.2) and POP3 (RFC 1939 §3) have in common: a `.` at the beginning of a line is
 * doubled, and the text ends with CRLF.CRLF. Works on chunks of any size and copies only those that get dots. A line
 * begins after CRLF only.
 */

import { PieceJoiner } from './piece-joiner.ts';

const dot = 0x2e;
const cr = 0x0d;
const lf = 0x0a;
const doubled = Buffer.from('.');
const lineThenDot = Buffer.from('\r\n.');
const endAfterLine = Buffer.from('.\r\n');
const endInLine = Buffer.from('\r\n.\r\n');

/** What the octets so far end with. */
export type Position = 'lineStart' | 'afterCr' | 'inLine';

export class DotStuffer {
  #position: Position = 'lineStart';
  #contentBytes = 0;
  readonly #wire = new PieceJoiner();

  /** What the content so far ends with. */
  get position(): Position {
    return this.#position;
  }

  /** Octets of content so far, without what was added. */
  get contentBytes(): number {
    return this.#contentBytes;
  }

  /** The chunk as it goes over the wire. */
  push(chunk: Buffer): Buffer {
    if (chunk.length === 0) return chunk;
    this.#contentBytes += chunk.length;
    let start = 0;
    const doubleDotAt = (offset: number) => {
      this.#wire.add(chunk, start, offset);
      this.#wire.add(doubled);
      start = offset;
    };
    const lead = this.#leadingDot(chunk);
    if (lead !== undefined) doubleDotAt(lead);
    for (let at = chunk.indexOf(lineThenDot); at !== -1; at = chunk.indexOf(lineThenDot, at + 2))
      doubleDotAt(at + 2);
    this.#wire.add(chunk, start);
    this.#position = this.#positionAfter(chunk);
    return this.#wire.take() ?? chunk;
  }

  /** The end of data: CRLF first, unless the content ended with one. */
  end(): Buffer {
    return this.#position === 'lineStart' ? endAfterLine : endInLine;
  }

  /** Where the chunk has a dot that begins a line because of what came before the chunk. */
  #leadingDot(chunk: Buffer): number | undefined {
    if (this.#position === 'lineStart' && chunk[0] === dot) return 0;
    if (this.#position === 'afterCr' && chunk[0] === lf && chunk[1] === dot) return 1;
    return undefined;
  }

  #positionAfter(chunk: Buffer): Position {
    const last = chunk[chunk.length - 1];
    if (last === cr) return 'afterCr';
    if (last !== lf) return 'inLine';
    const afterCr = chunk.length === 1 ? this.#position === 'afterCr' : chunk[chunk.length - 2] === cr;
    return afterCr ? 'lineStart' : 'inLine';
  }
}
