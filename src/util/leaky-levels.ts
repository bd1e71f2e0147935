/**
 * How much of something each of many has done lately: a level that rises with what is done, and leaks away evenly. Bounded in
 * memory, whoever comes: whoever is full is kept rather than who has done little, so that nobody is forgotten because many
 * others, or they themselves under many names, came after. Knows no mail word and no clock.
 */

export interface LevelLimits {
  /** So much may be done at once, and leaks away in `windowMs`. One that may change is asked for. */
  limit: number | (() => number);
  windowMs: number;
  /** Names that are remembered at most. */
  maxNames: number;
}

interface Level {
  level: number;
  at: number;
}

/** Nobody is further above the limit than this: it is a time until they are below it again. */
const mostTimesLimit = 2;

export class LeakyLevels {
  readonly #limits: LevelLimits;
  /** Below half of the limit and above it, each with whom it changed last for at the end. */
  readonly #low = new Map<string, Level>();
  readonly #high = new Map<string, Level>();

  constructor(limits: LevelLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#low.size + this.#high.size;
  }

  /** Adds to a level, and returns it. */
  add(name: string, amount: number, now: number): number {
    const limit = this.#limit;
    const level = Math.min(this.level(name, now) + amount, limit * mostTimesLimit);
    this.forget(name);
    this.#makeRoom();
    (level > limit / 2 ? this.#high : this.#low).set(name, { level, at: now });
    return level;
  }

  /** A level now; 0 of whom nothing is known. */
  level(name: string, now: number): number {
    const known = this.#low.get(name) ?? this.#high.get(name);
    if (known === undefined) return 0;
    const { windowMs } = this.#limits;
    return Math.max(0, known.level - (this.#limit * Math.max(0, now - known.at)) / windowMs);
  }

  /** Above the limit. */
  isOver(name: string, now: number): boolean {
    return this.level(name, now) > this.#limit;
  }

  forget(name: string): void {
    if (!this.#low.delete(name)) this.#high.delete(name);
  }

  get #limit(): number {
    const { limit } = this.#limits;
    return typeof limit === 'number' ? limit : limit();
  }

  /** Who did little goes first, unless those who did much fill more than half of the room. */
  #makeRoom(): void {
    const { maxNames } = this.#limits;
    if (this.size < maxNames) return;
    const part = this.#low.size > 0 && this.#high.size <= maxNames / 2 ? this.#low : this.#high;
    const [oldest] = part.keys();
    if (oldest !== undefined) part.delete(oldest);
  }
}
