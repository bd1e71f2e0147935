/**
 * Memory that the fuzzing thread and the one that watches it share: the input that is being read now. When the reader
 * hangs in a loop, runs out of memory or takes the process's patience, it cannot say itself what it was reading.
 */

/** Octets of an input that fit; the longest of the long runs, with what is around it. */
const capacity = 2 ** 21;

const countAt = 0;
const lengthAt = 1;
const headerBytes = 8;

export class Heartbeat {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #octets: Buffer;

  constructor(memory = new SharedArrayBuffer(headerBytes + capacity)) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, 2);
    this.#octets = Buffer.from(memory, headerBytes);
  }

  /** This input is read next. */
  note(input: Buffer): void {
    this.#words[lengthAt] = input.copy(this.#octets);
    Atomics.add(this.#words, countAt, 1);
  }

  /** Rises with every input. */
  get count(): number {
    return Atomics.load(this.#words, countAt);
  }

  get input(): Buffer {
    return Buffer.from(this.#octets.subarray(0, this.#words[lengthAt]));
  }
}
