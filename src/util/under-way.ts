/** What is being done with something, counted: who wants to take it away waits until nothing is any more. */

export class UnderWay {
  #count = 0;
  #waiting: (() => void)[] = [];

  /** The work counts until it ends, however it does. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#count++;
    try {
      return await work;
    } finally {
      this.#count--;
      if (this.#count === 0) for (const resolve of this.#waiting.splice(0)) resolve();
    }
  }

  /** Resolves at once where nothing is, else when the last has ended. */
  over(): Promise<void> {
    return this.#count === 0
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.#waiting.push(resolve);
        });
  }
}
