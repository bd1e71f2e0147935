/**
 * Finds the line of a key in a TOML document. smol-toml tells positions of syntax errors only, but a value can be wrong
 * without being bad TOML. Walks a document that has been parsed already, so it can trust the syntax (TOML 1.0, toml.io)
 * and needs to know only where keys begin and where values end. Knows no key's meaning.
 */

import type { KeyPath } from './problem.ts';

/** Answers with a line, counted from 1: that of the path, or else of the nearest table around it. */
export type FindLine = (path: KeyPath) => number;

/** `toml` must be valid TOML. */
export function locateKeys(toml: string): FindLine {
  const lines = new Scanner(toml).scan();
  return (path) => {
    for (let length = path.length; length > 0; length--) {
      const line = lines.get(JSON.stringify(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return 1;
  };
}

class Scanner {
  readonly #text: string;
  #at = 0;
  /** Line of `#countedTo`; the scan only moves forward, so lines are counted once. */
  #line = 1;
  #countedTo = 0;
  readonly #lines = new Map<string, number>();
  /** Number of elements so far of each array of tables. */
  readonly #tables = new Map<string, number>();

  constructor(text: string) {
    this.#text = text;
  }

  scan(): Map<string, number> {
    let table: KeyPath = [];
    for (this.#skipBlank(); this.#at < this.#text.length; this.#skipBlank()) {
      if (this.#text[this.#at] === '[') table = this.#header();
      else this.#pair(table);
    }
    return this.#lines;
  }

  /** `[a.b]` or `[[a.b]]`; answers with the path that the keys below it belong to. */
  #header(): KeyPath {
    const line = this.#lineHere();
    const isArray = this.#text.startsWith('[[', this.#at);
    this.#at += isArray ? 2 : 1;
    const path = this.#intoArrays(this.#key(), isArray);
    this.#at += isArray ? 2 : 1;
    this.#note(path, line);
    return path;
  }

  /** A name on the way that is an array of tables means its last element (TOML 1.0, "Array of Tables"). */
  #intoArrays(names: readonly string[], appends: boolean): KeyPath {
    let path: KeyPath = [];
    names.forEach((name, index) => {
      path = [...path, name];
      const id = JSON.stringify(path);
      if (appends && index === names.length - 1) this.#tables.set(id, (this.#tables.get(id) ?? 0) + 1);
      const count = this.#tables.get(id);
      if (count !== undefined) path = [...path, count - 1];
    });
    return path;
  }

  /** `a.b = value`. */
  #pair(table: KeyPath): void {
    const line = this.#lineHere();
    const path = [...table, ...this.#key()];
    for (let length = table.length + 1; length <= path.length; length++)
      this.#note(path.slice(0, length), line);
    this.#at += 1; // the equals sign
    this.#skipBlank();
    this.#value(path);
  }

  /** A dotted key, with the blanks around it. */
  #key(): string[] {
    const names: string[] = [];
    do {
      if (this.#text[this.#at] === '.') this.#at += 1;
      this.#skipBlank();
      names.push(this.#name());
      this.#skipBlank();
    } while (this.#text[this.#at] === '.');
    return names;
  }

  #name(): string {
    const start = this.#at;
    const quote = this.#text[start];
    if (quote !== '"' && quote !== "'") return this.#match(/[\w-]*/y);
    this.#string(quote);
    const raw = this.#text.slice(start, this.#at);
    // Escapes in quoted keys: JSON knows all of TOML's but \e, \x and \U, which name no key of ours.
    return quote === "'" ? raw.slice(1, -1) : unquote(raw);
  }

  #value(path: KeyPath): void {
    const first = this.#text[this.#at];
    if (first === '"' || first === "'") this.#string(first);
    else if (first === '[') this.#items(']', (index) => this.#element([...path, index]));
    else if (first === '{') this.#items('}', () => this.#pair(path));
    else this.#match(/[^,\]}#\n]*/y);
  }

  #element(path: KeyPath): void {
    this.#note(path, this.#lineHere());
    this.#value(path);
  }

  /** The inside of `[…]` or `{…}`, separated by commas. */
  #items(close: string, readItem: (index: number) => void): void {
    this.#at += 1;
    for (let index = 0; ; index++) {
      this.#skipBlank();
      if (this.#text[this.#at] === close || this.#at >= this.#text.length) break;
      readItem(index);
      this.#skipBlank();
      if (this.#text[this.#at] === ',') this.#at += 1;
    }
    this.#at += 1;
  }

  /** One of TOML's four kinds of string, whose first quote is here. */
  #string(quote: string): void {
    const long = quote.repeat(3);
    const isLong = this.#text.startsWith(long, this.#at);
    const escapes = quote === '"';
    this.#at += isLong ? 3 : 1;
    while (this.#at < this.#text.length && !this.#text.startsWith(isLong ? long : quote, this.#at)) {
      this.#at += escapes && this.#text[this.#at] === '\\' ? 2 : 1;
    }
    this.#at += isLong ? 3 : 1;
    // Up to two quotes may touch the closing three.
    if (isLong) this.#match(quote === '"' ? /"*/y : /'*/y);
  }

  /** Blanks, line ends and comments. */
  #skipBlank(): void {
    this.#match(/(?:[ \t\r\n\uFEFF]|#[^\n]*)*/y);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += text.length;
    return text;
  }

  #lineHere(): number {
    for (; this.#countedTo < this.#at; this.#countedTo++)
      if (this.#text[this.#countedTo] === '\n') this.#line++;
    return this.#line;
  }

  #note(path: KeyPath, line: number): void {
    const id = JSON.stringify(path);
    if (!this.#lines.has(id)) this.#lines.set(id, line);
  }
}

function unquote(raw: string): string {
  try {
    return String(JSON.parse(raw));
  } catch {
    return raw.slice(1, -1); // an escape that JSON does not know: only the line of an odd key is at stake
  }
}
