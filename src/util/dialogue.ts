/**
 * Records what two ends of a connection say, line by line, with times; bounded in lines and length, whoever talks.
 * What is secret must be masked by the caller before it comes here. Knows no protocol.
 */

/** Milliseconds since the start of the excerpt, then `S: …` or `C: …`. */
export type DialogueLine = readonly [offsetMs: number, line: string];

/** Characters of one line that are kept, and lines of one excerpt. */
export const maxLineLength = 512;
export const maxLines = 200;

export class Dialogue {
  readonly #now: () => number;
  #opening: [at: number, line: string][] = [];
  #lines: [at: number, line: string][] | undefined;
  #left = maxLines;

  constructor(now: () => number) {
    this.#now = now;
  }

  server(line: string): void {
    this.#add(`S: ${line}`);
  }

  client(line: string): void {
    this.#add(`C: ${line}`);
  }

  /** What was said before this moment is the opening of every later excerpt; what comes now starts a new one. */
  startExcerpt(): void {
    this.#lines = [];
    this.#left = maxLines;
  }

  /**
   * The opening and everything since `startExcerpt()`, with the moment that the offsets count from. `upcoming` are lines
   * that are about to be said.
   */
  excerpt(upcoming: readonly string[] = []): { at: number; lines: DialogueLine[] } {
    const said = [...this.#opening, ...(this.#lines ?? [])];
    const now = this.#now();
    const at = said[0]?.[0] ?? now;
    const lines = said.map(([time, line]): DialogueLine => [time - at, line]);
    return { at, lines: [...lines, ...upcoming.map((line): DialogueLine => [now - at, line])] };
  }

  #add(line: string): void {
    if (this.#left === 0) return;
    this.#left--;
    const entry: [number, string] =
      this.#left === 0
        ? [this.#now(), '(the rest is left out)']
        : [this.#now(), line.length > maxLineLength ? `${line.slice(0, maxLineLength)}…` : line];
    (this.#lines ?? this.#opening).push(entry);
  }
}
