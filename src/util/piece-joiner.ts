/**
 * Joins pieces of octets as they come. A single piece stays where it lies; more of them are copied, with a cost that
 * follows their octets and not their number, so that a million pieces of one octet are no burden. Knows no protocol.
 */

/** Shorter pieces are copied octet by octet: a call costs more than they do. */
const shortBytes = 24;
const leastBytes = 1024;

const nothing = Buffer.alloc(0);

/** A piece that lies in somebody's buffer. */
interface Place {
  bytes: Buffer;
  start: number;
  end: number;
}

export interface JoinerOptions {
  /**
   * The buffers that pieces lie in are ours: pieces of one buffer are moved together in it, over what lay between them,
   * which costs no memory. What is added a second time, such as a constant line end, is copied.
   */
  inPlace?: boolean;
}

export class PieceJoiner {
  readonly #inPlace: boolean;
  /** All so far, as long as it lies in one buffer that was given to us. */
  #only: Place | undefined;
  #joined: Buffer = nothing;
  #length = 0;

  constructor({ inPlace = false }: JoinerOptions = {}) {
    this.#inPlace = inPlace;
  }

  /** Adds the octets from `start` up to `end`, which must not change until `take()`. */
  add(bytes: Buffer, start = 0, end = bytes.length): void {
    if (end <= start) return;
    const only = this.#only;
    if (only === undefined && this.#length === 0) {
      this.#only = { bytes, start, end };
      return;
    }
    if (only !== undefined && this.#inPlace && only.bytes === bytes && start >= only.end) {
      bytes.copyWithin(only.end, start, end);
      only.end += end - start;
      return;
    }
    // What follows in this buffer is likely to come next: there is to be room for it, and no more.
    const expected = bytes.length - end;
    this.#only = undefined;
    if (only !== undefined) this.#append(only, end - start + expected);
    this.#append({ bytes, start, end }, expected);
  }

  /** What was added since the last call, or undefined where nothing was. */
  take(): Buffer | undefined {
    const only = this.#only;
    const taken = this.#length > 0 ? this.#joined.subarray(0, this.#length) : undefined;
    this.#only = undefined;
    this.#joined = nothing;
    this.#length = 0;
    return only === undefined ? taken : only.bytes.subarray(only.start, only.end);
  }

  #append({ bytes, start, end }: Place, expected: number): void {
    const length = this.#length + end - start;
    if (length > this.#joined.length) this.#grow(length + expected);
    if (end - start < shortBytes) {
      let at = this.#length;
      for (let index = start; index < end; index++) this.#joined[at++] = bytes[index] as number; // index < end
    } else bytes.copy(this.#joined, this.#length, start, end);
    this.#length = length;
  }

  /** A sixteenth more than is wanted: dots that are doubled, for one. */
  #grow(wanted: number): void {
    const larger = Buffer.allocUnsafe(Math.max(wanted + (wanted >> 4), 2 * this.#joined.length, leastBytes));
    this.#joined.copy(larger, 0, 0, this.#length);
    this.#joined = larger;
  }
}
