/**
 * The octets of a file in blocks that copies share until they are written to, each with its hash: hundreds of versions of
 * a file of 16 MiB, of which each differs in a few sectors, are made and told apart.
 */

import { hash } from 'node:crypto';

/** A change of a file's octets or length. Numbers rise with time, over all files. */
export type Change =
  | { kind: 'write'; number: number; offset: number; octets: Buffer }
  | { kind: 'truncate'; number: number; length: number };

interface Block {
  octets: Buffer;
  hash: string | undefined;
  /** Written to by its owner only; others take a copy. */
  owner: Image;
}

const blockBytes = 4096;

const zeros = Buffer.alloc(blockBytes);

export const hashOf = (octets: Buffer | string): string => hash('sha1', octets, 'base64url');

export class Image {
  #blocks: Block[] = [];
  #length = 0;
  #hash: string | undefined;

  /** A version of its own, for as long as this one is not written to. */
  copy(): Image {
    const copy = new Image();
    copy.#blocks = [...this.#blocks];
    copy.#length = this.#length;
    return copy;
  }

  get length(): number {
    return this.#length;
  }

  /** Equal for equal octets. */
  get hash(): string {
    this.#hash ??= hashOf(`${this.#length} ${this.#blocks.map(hashOfBlock).join()}`);
    return this.#hash;
  }

  /** All in order, in pieces that are not to be written to. */
  pieces(): Buffer[] {
    const rest = this.#length % blockBytes;
    const last = this.#blocks.length - 1;
    return this.#blocks.map(({ octets }, index) =>
      index === last && rest > 0 ? octets.subarray(0, rest) : octets,
    );
  }

  apply(change: Change): void {
    if (change.kind === 'write') this.put(change.octets, change.offset);
    else this.resize(change.length);
  }

  /** What was never written before `offset` is zero. */
  put(octets: Buffer, offset: number): void {
    this.extend(offset + octets.length);
    for (let done = 0; done < octets.length; ) {
      const at = offset + done;
      const block = this.#writable(Math.floor(at / blockBytes));
      done += octets.copy(block.octets, at % blockBytes, done);
    }
  }

  extend(length: number): void {
    if (length > this.#length) this.resize(length);
  }

  resize(length: number): void {
    this.#hash = undefined;
    const count = Math.ceil(length / blockBytes);
    this.#blocks.length = Math.min(count, this.#blocks.length);
    while (this.#blocks.length < count) this.#blocks.push(this.#newBlock(zeros));
    if (length < this.#length && length % blockBytes > 0)
      this.#writable(count - 1).octets.fill(0, length % blockBytes);
    this.#length = length;
  }

  #writable(index: number): Block {
    this.#hash = undefined;
    let block = this.#blocks[index];
    if (block === undefined) throw new RangeError(`A file of ${this.#length} octets has no block ${index}`);
    if (block.owner !== this) block = this.#newBlock(block.octets);
    block.hash = undefined;
    this.#blocks[index] = block;
    return block;
  }

  #newBlock(octets: Buffer): Block {
    return { octets: Buffer.from(octets), hash: undefined, owner: this };
  }
}

function hashOfBlock(block: Block): string {
  block.hash ??= hashOf(block.octets);
  return block.hash;
}
