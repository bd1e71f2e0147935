/**
 * Octets that came in, handed out as lines or raw. CRLF ends a line, and so does LF alone: people type commands into
 * sockets. Bounded: of a line that is too long nothing is kept. Knows no protocol.
 */

const lf = 0x0a;
const cr = 0x0d;
const nothing = Buffer.alloc(0);

export class LineReader {
  #buffer: Buffer = nothing;
  #offset = 0;
  /** Octets of the current, too long line that were thrown away. */
  #skipped = 0;
  readonly #maxSkippedBytes: number;

  /** A line of which more than `maxSkippedBytes` were thrown away counts as `endless`. */
  constructor(maxSkippedBytes: number) {
    this.#maxSkippedBytes = maxSkippedBytes;
  }

  /** Octets held at this moment. */
  get heldBytes(): number {
    return this.#buffer.length - this.#offset;
  }

  push(bytes: Buffer): void {
    const rest = this.#buffer.length - this.#offset;
    this.#buffer = rest === 0 ? bytes : Buffer.concat([this.#buffer.subarray(this.#offset), bytes]);
    this.#offset = 0;
  }

  clear(): void {
    this.#buffer = nothing;
    this.#offset = 0;
    this.#skipped = 0;
  }

  /**
   * The next line without its end; undefined when it is not complete yet. A line of more than `limit` octets, its end
   * included, is thrown away while it comes, and is `tooLong` when it has ended, or `endless` when it does not end.
   */
  line(limit: number): Buffer | 'tooLong' | 'endless' | undefined {
    const end = this.#buffer.indexOf(lf, this.#offset);
    if (end === -1) return this.#incomplete(limit);
    const start = this.#offset;
    this.#offset = end + 1;
    const tooLong = this.#skipped > 0 || end + 1 - start > limit;
    this.#skipped = 0;
    if (tooLong) return 'tooLong';
    return this.#buffer.subarray(start, end > start && this.#buffer[end - 1] === cr ? end - 1 : end);
  }

  #incomplete(limit: number): 'endless' | undefined {
    const rest = this.#buffer.length - this.#offset;
    if (rest >= limit || this.#skipped > 0) {
      this.#skipped += rest;
      this.#offset = this.#buffer.length;
    }
    return this.#skipped > this.#maxSkippedBytes ? 'endless' : undefined;
  }

  /** Shows at most `limit` octets to `use`, which returns how many of them it took. */
  consume(limit: number, use: (bytes: Buffer) => number): number {
    const available = Math.min(limit, this.#buffer.length - this.#offset);
    if (available === 0) return 0;
    const used = use(this.#buffer.subarray(this.#offset, this.#offset + available));
    this.#offset += used;
    if (this.#offset === this.#buffer.length) {
      this.#buffer = nothing; // what was read from the socket, 64 KiB of it, may go while this is worked on
      this.#offset = 0;
    }
    return used;
  }
}
