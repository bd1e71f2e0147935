/** The least of many, at the cost of a few comparisons: a binary heap. Equal ones come out in no certain order. */

export class Heap<T> {
  readonly #items: T[] = [];
  readonly #isLess: (one: T, other: T) => boolean;

  constructor(isLess: (one: T, other: T) => boolean) {
    this.#isLess = isLess;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    const items = this.#items;
    let place = items.length;
    items.push(item);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = items[parent];
      if (above === undefined || !this.#isLess(item, above)) break;
      items[place] = above;
      place = parent;
    }
    items[place] = item;
  }

  pop(): T | undefined {
    const items = this.#items;
    const [least] = items;
    const last = items.pop();
    if (items.length > 0 && last !== undefined) this.#sink(last);
    return least;
  }

  /** Puts the item in the place of the first. */
  #sink(item: T): void {
    const items = this.#items;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      let below = items[child];
      const right = items[child + 1];
      if (below === undefined) break;
      if (right !== undefined && this.#isLess(right, below)) {
        child++;
        below = right;
      }
      if (!this.#isLess(below, item)) break;
      items[place] = below;
      place = child;
    }
    items[place] = item;
  }
}
