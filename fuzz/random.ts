/**
 * Chance that can be repeated: every number follows from a seed. Each input is drawn from a generator of its own, so
 * that the thousandth can be had without the nine hundred and ninety-nine before it.
 */

export class Random {
  #state: number;

  /** Generators of different `names` are independent of each other. */
  constructor(seed: number, ...names: readonly (string | number)[]) {
    this.#state = hash(`${seed}/${names.join('/')}`);
  }

  /** A whole number from 0 up to `bound`, which is not reached. (mulberry32) */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  /** Small numbers are likelier than great ones, and all up to `most` are possible. */
  length(most: number): number {
    return this.below(this.below(this.below(most + 1) + 1) + 1);
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new RangeError('Cannot pick from nothing');
    return choice;
  }

  /** The same things in an order of chance. (Fisher and Yates) */
  shuffled<T>(things: readonly T[]): T[] {
    const order = [...things];
    for (let left = order.length; left > 1; left--) {
      const [taken] = order.splice(this.below(left), 1);
      if (taken !== undefined) order.push(taken);
    }
    return order;
  }

  octets(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }

  /** `most` things at most, each made by `make`. */
  some<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, make);
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (const octet of Buffer.from(text)) state = Math.imul(state ^ octet, 0x01000193);
  return state;
}
