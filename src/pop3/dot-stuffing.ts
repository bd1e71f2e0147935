/**
 * Message content → the body of a multi-line response (RFC 1939 §3): a dot is put before each line that begins with
 * one, and the terminator follows on a line of its own. Works piece by piece, wherever the pieces are cut; only CRLF
 * ends a line.
 */

const cr = 0x0d;
const lf = 0x0a;
const dot = Buffer.from('.');

export class DotStuffer {
  /** What came last: the start of a line is after CRLF, and at the very beginning. */
  #state: 'lineStart' | 'afterCr' | 'inLine' = 'lineStart';

  /** The next piece, with its dots stuffed. */
  stuff(piece: Buffer): Buffer {
    const parts: Buffer[] = [];
    if (this.#state === 'lineStart' && piece[0] === dot[0]) parts.push(dot);
    let start = 0;
    for (let at = piece.indexOf('\n.'); at !== -1; at = piece.indexOf('\n.', at + 1)) {
      if (!this.#endsLine(piece, at)) continue;
      parts.push(piece.subarray(start, at + 1), dot);
      start = at + 1;
    }
    this.#state = this.#stateAfter(piece);
    return parts.length === 0 ? piece : Buffer.concat([...parts, piece.subarray(start)]);
  }

  /** What is missing of the content's last line end, and the terminator. */
  end(): Buffer {
    const missing = { lineStart: '', afterCr: '\n', inLine: '\r\n' }[this.#state];
    return Buffer.from(`${missing}.\r\n`);
  }

  /** The LF at that offset has its CR before it, be it in the piece before. */
  #endsLine(piece: Buffer, at: number): boolean {
    return at === 0 ? this.#state === 'afterCr' : piece[at - 1] === cr;
  }

  #stateAfter(piece: Buffer): 'lineStart' | 'afterCr' | 'inLine' {
    const last = piece.at(-1);
    if (last === undefined) return this.#state;
    if (last === cr) return 'afterCr';
    return last === lf && this.#endsLine(piece, piece.length - 1) ? 'lineStart' : 'inLine';
  }
}
