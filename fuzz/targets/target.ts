/** What can be fuzzed: something of ours that reads octets from strangers, and what must hold whatever they are. */

import type { Random } from '../random.ts';

export interface Target {
  /** For `--target`. */
  readonly name: string;
  /** Inputs that are right or nearly so: the mutations begin with them. */
  seeds(): readonly Buffer[];
  /** A new input from the grammar of what is read. */
  generate?(random: Random): Buffer;
  /** Reads the input once, the plain way: this is timed. Throws where it must not. */
  read(input: Buffer): unknown;
  /** Reads it in every way and compares; an error says what does not hold. Default: `read`. */
  check?(input: Buffer): unknown;
  /** Reads it octet by octet, where it can come that way: this is timed too. */
  trickle?(input: Buffer): unknown;
  /** Puts a run of octets where a reader meets it; default: the run is the input. */
  places?: readonly Place[];
  /** Longer runs than this are refused unread, or their sender alone waits for them: these show what reading costs. */
  longestRunBytes?: number;
}

export type Place = (run: Buffer) => Buffer;

/** A place between two texts. */
export const between =
  (before: string, after = ''): Place =>
  (run) =>
    Buffer.concat([Buffer.from(before, 'latin1'), run, Buffer.from(after, 'latin1')]);

/** What must hold does not. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export function demand(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Violation(otherwise);
}

/** Two readings of one input must not differ. `what` says how they were read. */
export function demandSame(what: string, one: unknown, other: unknown): void {
  const [first, second] = [JSON.stringify(one), JSON.stringify(other)];
  if (first === second) return;
  const at = [...(first ?? '')].findIndex((character, index) => character !== second?.[index]);
  const around = (text = '') => text.slice(Math.max(0, at - 60), at + 100);
  throw new Violation(`${what} gives something else: …${around(first)}… and …${around(second)}…`);
}
