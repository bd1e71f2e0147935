/** A virtual clock: what is planned is done in order of time, and time passes only so. */

import { Heap } from '../util/heap.ts';

interface Plan {
  at: number;
  order: number;
  action: () => void;
}

export class Agenda {
  now: number;
  #count = 0;
  /** What is planned for one moment is done in the order of planning. */
  readonly #plans = new Heap<Plan>((one, other) =>
    one.at === other.at ? one.order < other.order : one.at < other.at,
  );

  constructor(startAt: number) {
    this.now = startAt;
  }

  /** What is planned for the past is done next. */
  plan(at: number, action: () => void): void {
    this.#plans.push({ at: Math.max(at, this.now), order: this.#count++, action });
  }

  /** The next moment for which something is planned. */
  get nextAt(): number | undefined {
    return this.#plans.peek()?.at;
  }

  /** Does what is planned next; false where nothing is. */
  doNext(): boolean {
    const plan = this.#plans.pop();
    if (plan === undefined) return false;
    this.now = plan.at;
    plan.action();
    return true;
  }
}
