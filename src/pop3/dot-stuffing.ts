/** Message content → the body of a multi-line response (RFC 1939 §3), piece by piece, wherever the pieces are cut. */

import { DotStuffer as LineDots } from '../util/dot-stuffing.ts';

const restOfLineEnd = Buffer.from('\n.\r\n');

export class DotStuffer {
  readonly #dots = new LineDots();

  /** The next piece, with its dots stuffed. */
  stuff(piece: Buffer): Buffer {
    return this.#dots.push(piece);
  }

  /** What is missing of the content's last line end, half of which may be there, and the terminator. */
  end(): Buffer {
    return this.#dots.position === 'afterCr' ? restOfLineEnd : this.#dots.end();
  }
}
