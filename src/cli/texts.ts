/** Words as options give them. */

import { InvalidArgumentError } from 'commander';
import { maxNoteLength } from '../admin/control-protocol.ts';

/** In a script, an empty variable is a mistake, and must not select more than was meant. */
export function someText(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('It is empty.');
}

/** Why something is ordered. */
export function reasonText(text: string): string {
  if (text.length <= maxNoteLength) return someText(text);
  throw new InvalidArgumentError(`Give at most ${maxNoteLength} characters.`);
}
