/**
 * Message data as it comes in after DATA or BDAT → the message's octets. Undoes dot-stuffing (RFC 5321 §4.5.2), finds
 * the end of data, which is CRLF.CRLF and nothing else (CVE-2023-51764), and watches for a CR or LF on its own: those
 * are what "SMTP smuggling" is made of. They are reported (`bareNewline`) or made CRLF, never taken for a line end
 * that could begin a terminator. Keeps one state between chunks. What it takes out it takes out where the octets lie: what
 * is read belongs to the reader.
 */

import { PieceJoiner } from '../util/piece-joiner.ts';

const cr = 0x0d;
const lf = 0x0a;
const dot = 0x2e;
const crlf = Buffer.from('\r\n');
const crText = Buffer.from('\r');
const lfText = Buffer.from('\n');
const dotText = Buffer.from('.');

/** The offset of the next CR or LF from `from` on, or the end. Most of a message goes by here, octet by octet. */
function textEnd(bytes: Buffer, from: number): number {
  let index = from;
  for (; index < bytes.length; index++) {
    const octet = bytes[index];
    if (octet === cr || octet === lf) break;
  }
  return index;
}

/** Where in a line we are. `dot…` states are reached only at the start of a line that followed CRLF. */
type State = 'lineStart' | 'text' | 'cr' | 'dot' | 'dotCr';

export interface DataReaderOptions {
  /** DATA has dot-stuffing and a terminator; BDAT has neither. */
  dotted: boolean;
  /** Make a bare CR or LF into CRLF; otherwise it is passed on as it is and reported. */
  normalize: boolean;
}

export class DataReader {
  /** A CR without LF, or an LF without CR, was seen (and not normalized). */
  bareNewline = false;
  /** The terminator was seen, or `finish()` was called. */
  ended = false;
  readonly #dotted: boolean;
  readonly #normalize: boolean;
  #state: State = 'lineStart';
  readonly #content = new PieceJoiner({ inPlace: true });

  constructor({ dotted, normalize }: DataReaderOptions) {
    this.#dotted = dotted;
    this.#normalize = normalize;
  }

  /** Reads `bytes` up to its end or the terminator's, and may change what it has read; returns how many octets that are. */
  read(bytes: Buffer): number {
    let start = 0; // of the octets not yet passed on
    let index = 0;
    while (index < bytes.length && !this.ended) {
      if (this.#state === 'text') index = textEnd(bytes, index);
      const octet = bytes[index];
      if (octet === undefined) break;
      if (this.#state === 'text') {
        if (octet === cr && bytes[index + 1] === lf) {
          index += 2;
          this.#state = 'lineStart';
        } else {
          this.#content.add(bytes, start, index);
          start = ++index;
          if (octet === lf) this.#bare(lf);
          else this.#state = 'cr';
        }
      } else if (this.#state === 'lineStart' && !(octet === dot && this.#dotted)) {
        this.#state = 'text';
      } else {
        this.#content.add(bytes, start, index);
        const used = this.#readSpecial(octet);
        index += used;
        start = index;
      }
    }
    if (!this.ended) this.#content.add(bytes, start, index);
    return index;
  }

  /** The states in which an octet is held back; returns 1 where `octet` is used up, 0 where it is to be read as text. */
  #readSpecial(octet: number): 0 | 1 {
    const state = this.#state;
    if (state === 'lineStart') {
      this.#state = 'dot';
      return 1;
    }
    if (state === 'dot' && octet === cr) {
      this.#state = 'dotCr';
      return 1;
    }
    if (state === 'dotCr' && octet === lf) {
      this.ended = true;
      return 1;
    }
    if (state === 'cr' && octet === lf) {
      this.#content.add(crlf);
      this.#state = 'lineStart';
      return 1;
    }
    this.#state = 'text';
    // A line that begins with a dot and ends in a bare CR or LF ends nothing, and its dot is text.
    // Any other line that begins with a dot had it added by the sender, and loses it here.
    if (state === 'dotCr' || (state === 'dot' && octet === lf)) this.#content.add(dotText);
    if (state !== 'dot') this.#bare(cr);
    return 0;
  }

  /** The octets read since the last call, or undefined. */
  take(): Buffer | undefined {
    return this.#content.take();
  }

  /** BDAT's last chunk is read: a CR that waited for its LF stays alone. */
  finish(): void {
    if (this.#state === 'cr') this.#bare(cr);
    this.#state = 'lineStart';
    this.ended = true;
  }

  #bare(octet: number): void {
    if (this.#normalize) this.#content.add(crlf);
    else {
      this.bareNewline = true;
      this.#content.add(octet === cr ? crText : lfText);
    }
  }
}
