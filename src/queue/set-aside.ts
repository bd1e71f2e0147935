/**
 * Keeps suspended work from being tried: what is about to be, goes back to the store instead. Of what was not heard of
 * before, the dossier tells why it waits; what has reached its end is given up as ever, for it has waited enough.
 */

import type { JobRow } from '../store/job.ts';
import type { Clock } from '../util/clock.ts';
import { type DeliveryGroup, groupOf } from './hand-out.ts';
import type { Matches } from './matches.ts';
import { lookAgainAt, type Suspension, suspensionEnd, suspensionOf } from './suspensions.ts';

export interface SetAsideParts {
  clock: Clock;
  /** Records that a group is not tried. Neither of the two rejects but at the end. */
  defer(group: DeliveryGroup, suspension: Suspension): Promise<void>;
  /** Other mail for its destinations may go another way, so they are not held. */
  isSplit(group: DeliveryGroup): boolean;
  /** Gives a group back to the store, its destinations held until then. */
  putBack(group: DeliveryGroup, until: number): Promise<void>;
}

/** What is withheld looks again after this long. */
const withheldMs = 1000;

export class SetAside {
  readonly #parts: SetAsideParts;
  #suspensions: readonly Suspension[];
  readonly #withheld = new Set<Matches>();
  readonly #underWay = new Set<Promise<void>>();

  constructor(parts: SetAsideParts, suspensions: readonly Suspension[]) {
    this.#parts = parts;
    this.#suspensions = suspensions;
  }

  /** From now on these are in force, and no others. Resolves when nothing follows the others any more. */
  async replace(suspensions: readonly Suspension[]): Promise<void> {
    this.#suspensions = suspensions;
    await Promise.allSettled(this.#underWay);
  }

  /** What matches is not begun until the returned function is called: somebody changes it in the store. */
  withhold(matches: Matches): () => void {
    this.#withheld.add(matches);
    return () => this.#withheld.delete(matches);
  }

  /** What may be tried of a group; the rest is on its way back to the store. */
  rest(group: DeliveryGroup): DeliveryGroup | undefined {
    if (this.#suspensions.length + this.#withheld.size === 0) return group;
    const { site, message, jobs } = group;
    const byReason = Map.groupBy(jobs, (job) => this.#reasonAgainst(group, job));
    for (const [reason, own] of byReason)
      if (reason !== undefined) this.#setAside(groupOf(site, message, own), reason);
    const wanted = byReason.get(undefined) ?? [];
    if (wanted.length === jobs.length) return group;
    return wanted.length === 0 ? undefined : groupOf(site, message, wanted);
  }

  #reasonAgainst({ site, message }: DeliveryGroup, job: JobRow): Suspension | 'withheld' | undefined {
    for (const matches of this.#withheld) if (matches(job, message, site)) return 'withheld';
    return suspensionOf(this.#suspensions, job, { site, now: this.#parts.clock.now() });
  }

  #setAside(group: DeliveryGroup, reason: Suspension | 'withheld'): void {
    const { clock, defer, putBack } = this.#parts;
    const now = clock.now();
    const work =
      reason === 'withheld'
        ? putBack(group, now + withheldMs)
        : group.fresh || group.expiresAt <= now
          ? defer(group, reason)
          : putBack(group, this.#parts.isSplit(group) ? lookAgainAt(reason, now) : suspensionEnd(reason));
    const tracked = work.finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }
}
