/** Asks a question at a terminal without showing the answer. */

import type { ReadStream } from 'node:tty';
import { CommandError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';

/** Ctrl-D ends the line as Enter does. */
const keys = { enter: '\r\n\u0004', interrupt: '\u0003', erase: '\b\u007f' };

/** Resolves to the line that was typed; rejects when the user gives up by Ctrl-C. */
export function askSecret(
  question: string,
  input: ReadStream,
  output: NodeJS.WritableStream,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed = '';
    const finish = (settle: () => void) => {
      input.off('data', read);
      input.setRawMode(false);
      input.pause();
      output.write('\n');
      settle();
    };
    const read = (chunk: Buffer | string) => {
      for (const key of chunk.toString()) {
        if (key === keys.interrupt) return finish(() => reject(givenUp()));
        if (keys.enter.includes(key)) return finish(() => resolve(typed));
        typed = keys.erase.includes(key) ? typed.slice(0, -1) : typed + key;
      }
    };
    output.write(question);
    input.setRawMode(true);
    input.setEncoding('utf8');
    input.on('data', read);
    input.resume();
  });
}

const givenUp = () => new CommandError(exitCodes.interrupted, 'given up. Nothing was changed.');
