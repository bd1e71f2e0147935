/**
 * The one way into the queue for what users of this machine hand in, by the maildrop or by the control socket. Who hears no
 * answer over the socket puts the same message into the maildrop: of one message there is never more than one on its way, and
 * the second is known again.
 */

import { type Handed, type Intake, type IntakeParts, takeHanded } from './intake.ts';
import { forgetRefusals } from './refusals.ts';

export class Hatch {
  readonly #parts: () => IntakeParts;
  readonly #underWay = new Map<string, Promise<unknown>>();

  /** As the configuration in force has it. */
  constructor(parts: () => IntakeParts) {
    this.#parts = parts;
  }

  /** Resolves when it is on disk, or refused. Rejects with the store's error: it may be taken later. */
  async take(handed: Handed): Promise<Intake> {
    const key = `${handed.uid}:${handed.name}`;
    // What became of the other one is for who has handed it in.
    for (let other = this.#underWay.get(key); other !== undefined; other = this.#underWay.get(key))
      await other.catch(() => undefined);
    const taking = takeHanded(this.#parts(), handed);
    this.#underWay.set(key, taking);
    try {
      return await taking;
    } finally {
      this.#underWay.delete(key);
    }
  }

  /** Whoever handed it in by the socket has the answer, and will not come by the maildrop as well. */
  heardRefusals(queueId: string): Promise<void> {
    return forgetRefusals(this.#parts().store, queueId);
  }
}
