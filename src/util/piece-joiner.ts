/**
 * Joins pieces of octets as they come. A single piece stays where it lies; more of them are copied, with a cost that
 * follows their octets and not their number, so that a million pieces of one octet are no burden. Knows no protocol.
 */

/** Shorter pieces are copied octet by octet: a call costs more than they do. */
const shortBytes = 24;
const leastBytes = 1024;

const nothing = Buffer.alloc(0);

export class PieceJoiner {
  /** The only piece so far. */
  #only: Buffer | undefined;
  #joined: Buffer = nothing;
  #length = 0;

  /** Adds the octets from `start` up to `end`, which must not change until `take()`. */
  add(bytes: Buffer, start = 0, end = bytes.length): void {
    if (end <= start) return;
    if (this.#length === 0 && this.#only === undefined) {
      this.#only = bytes.subarray(start, end);
      return;
    }
    const first = this.#only;
    this.#only = undefined;
    if (first !== undefined) this.#append(first, 0, first.length);
    this.#append(bytes, start, end);
  }

  /** What was added since the last call, or undefined where nothing was. */
  take(): Buffer | undefined {
    const taken = this.#length > 0 ? this.#joined.subarray(0, this.#length) : this.#only;
    this.#only = undefined;
    this.#joined = nothing;
    this.#length = 0;
    return taken;
  }

  #append(bytes: Buffer, start: number, end: number): void {
    const length = this.#length + end - start;
    if (length > this.#joined.length) this.#grow(length);
    if (end - start < shortBytes) {
      let at = this.#length;
      for (let index = start; index < end; index++) this.#joined[at++] = bytes[index] as number; // index < end
    } else bytes.copy(this.#joined, this.#length, start, end);
    this.#length = length;
  }

  #grow(least: number): void {
    const larger = Buffer.allocUnsafe(Math.max(2 * least, leastBytes));
    this.#joined.copy(larger, 0, 0, this.#length);
    this.#joined = larger;
  }
}
