/**
 * What the Maildirs of the kill rounds hold, looked at again and again. A message that stands in one of them twice is a
 * violation: a repeated delivery finds the first by its name, wherever it lies by then. Knows no server.
 */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repeated } from '../../e2e/tally.ts';
import { recognise } from './letters.ts';

export interface MaildirWatch {
  /** Reads what was not there the last time. */
  look(): Promise<void>;
  /** Numbers of the messages that lay there more than once at the same time, on any look. */
  readonly doubles: ReadonlySet<number>;
}

/** `see` gets each message the first time that it is seen there by its name. */
export function watchMaildir(maildir: string, see: (message: Buffer) => void): MaildirWatch {
  /** By file, the message's number; undefined for what is none. */
  const seen = new Map<string, number | undefined>();
  const doubles = new Set<number>();
  return {
    doubles,
    async look() {
      const files = (await Promise.all(['new', 'cur'].map((part) => filesIn(join(maildir, part))))).flat();
      for (const file of files) {
        if (seen.has(file)) continue;
        const message = await readFile(file);
        seen.set(file, recognise(message)?.number);
        see(message);
      }
      const numbers = files.map((file) => seen.get(file)).filter((number) => number !== undefined);
      for (const number of repeated(numbers).keys()) doubles.add(number);
    },
  };
}

/** An absent folder is an empty one: the first message makes it. */
async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.map((name) => join(folder, name));
}
