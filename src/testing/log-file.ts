/** Where a server of a world writes its log: a file, line by line, until it is closed. */

import { closeSync, openSync, writeSync } from 'node:fs';

export class LogFile {
  #descriptor: number | undefined;

  /** What the file holds already stays. */
  constructor(path: string) {
    this.#descriptor = openSync(path, 'a', 0o600);
  }

  /** What is said after the end is not kept. */
  write(line: string): void {
    if (this.#descriptor !== undefined) writeSync(this.#descriptor, line);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
