/**
 * The books of the kill rounds: what was acknowledged for whom, what was found where, and how the two compare. Knows no
 * server and no file.
 */

import { missing, repeated } from '../../e2e/tally.ts';
import { recognise } from './letters.ts';

/** One message for one recipient. */
export type Item = `${number} ${string}`;

export const itemOf = (number: number, recipient: string): Item => `${number} ${recipient}`;

export interface Balance {
  /** Messages whose end of data was answered with 250. */
  acknowledged: number;
  /** Acknowledged, and not found. */
  missing: Item[];
  /** Found more than once, with how often. */
  repeated: ReadonlyMap<Item, number>;
  /** Found with less than its text, or more. */
  torn: Item[];
  /** Found, and not to be known for any of the messages: whose it was, and how long. */
  strange: string[];
}

export class Ledger {
  readonly #acknowledged = new Map<number, readonly string[]>();
  readonly #found: Item[] = [];
  readonly #torn: Item[] = [];
  readonly #strange: string[] = [];
  /** performance.now() of each time, where it is known. */
  readonly #foundAt = new Map<Item, number[]>();

  acknowledge(number: number, recipients: readonly string[]): void {
    this.#acknowledged.set(number, recipients);
  }

  /** `at`: performance.now(), where it is known. There is no mail but ours: what is not known again is a torn one. */
  find(recipient: string, message: Buffer, at?: number): void {
    const item = this.see(recipient, message);
    if (item === undefined) return;
    this.#found.push(item);
    if (at !== undefined) this.#foundAt.set(item, [...this.foundAt(item), at]);
  }

  /** Looks whether a message is whole, where it is on its way only, and will be found later. Undefined: none of ours. */
  see(recipient: string, message: Buffer): Item | undefined {
    const known = recognise(message);
    if (known === undefined) {
      this.#strange.push(`${message.length} octets for ${recipient}`);
      return undefined;
    }
    const item = itemOf(known.number, recipient);
    if (!known.whole) this.#torn.push(item);
    return item;
  }

  /** Messages so far. */
  get acknowledged(): number {
    return this.#acknowledged.size;
  }

  /** In the order of time. */
  foundAt(item: Item): readonly number[] {
    return this.#foundAt.get(item) ?? [];
  }

  balance(): Balance {
    const promised = [...this.#acknowledged].flatMap(([number, recipients]) =>
      recipients.map((recipient) => itemOf(number, recipient)),
    );
    return {
      acknowledged: this.acknowledged,
      missing: missing(promised, this.#found),
      repeated: repeated(this.#found),
      torn: [...this.#torn],
      strange: [...this.#strange],
    };
  }
}
