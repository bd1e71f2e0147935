/**
 * Memory for the octets of one batch. A Buffer sent as it is takes its whole backing memory along (up to 64 KiB of
 * socket data for a 1 KiB message); here the octets are packed once and the memory moves to the other thread uncopied.
 */

/** Octets per block; what is larger gets a block of its own. */
const blockBytes = 64 * 1024;

/** Blocks kept for the next batches. */
const maxSpare = 8;

export class Arena {
  #full: ArrayBuffer[] = [];
  readonly #spare: ArrayBuffer[] = [];
  #block = new ArrayBuffer(0);
  #used = 0;

  /** Copies the parts, one after the other, and returns where they lie. */
  put(...parts: Uint8Array[]): Uint8Array {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    if (this.#used + length > this.#block.byteLength) this.#nextBlock(length);
    const place = new Uint8Array(this.#block, this.#used, length);
    this.#used += length;
    let offset = 0;
    for (const part of parts) {
      place.set(part, offset);
      offset += part.length;
    }
    return place;
  }

  /** The blocks for the transfer list of one message; the arena starts anew. */
  take(): ArrayBuffer[] {
    const blocks = this.#block.byteLength > 0 ? [...this.#full, this.#block] : this.#full;
    this.#full = [];
    this.#block = new ArrayBuffer(0);
    this.#used = 0;
    return blocks;
  }

  /** Takes blocks that have come back and are of use no more. */
  giveBack(blocks: readonly ArrayBuffer[]): void {
    for (const block of blocks)
      if (block.byteLength === blockBytes && this.#spare.length < maxSpare) this.#spare.push(block);
  }

  #nextBlock(length: number): void {
    if (this.#block.byteLength > 0) this.#full.push(this.#block);
    const spare = length <= blockBytes ? this.#spare.pop() : undefined;
    this.#block = spare ?? new ArrayBuffer(Math.max(blockBytes, length));
    this.#used = 0;
  }
}
