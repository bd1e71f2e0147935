/** Words as options give them. */

import { InvalidArgumentError } from 'commander';
import { maxNoteLength } from '../admin/control-protocol.ts';

/** In a script, an empty variable is a mistake, and must not select more than was meant. */
export function someText(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('It is empty.');
}

/** An option that has one value: of two, the first would be dropped without a word. */
export const once =
  <T>(parse: (text: string) => T) =>
  (text: string, before: T | undefined): T => {
    if (before === undefined) return parse(text);
    throw new InvalidArgumentError('It is there twice. Give it once.');
  };

/** Why something is ordered. */
export function reasonText(text: string): string {
  if (text.length <= maxNoteLength) return someText(text);
  throw new InvalidArgumentError(`Give at most ${maxNoteLength} characters.`);
}
