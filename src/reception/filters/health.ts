/** Which filters do not answer: told in the log when it begins, now and then while it lasts, and when it ends. */

import type { UnknownFact } from '../../filter/fact.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';

/** While a filter is down, it is told of so often at most. */
export const toldEveryMs = 5 * 60_000;

interface Trouble {
  /** Since it was last told of. */
  untold: number;
  failures: number;
  toldAt: number;
}

export class FilterHealth {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #troubles = new Map<string, Trouble>();

  constructor({ log, clock }: { log: Log; clock: Clock }) {
    this.#log = log;
    this.#clock = clock;
  }

  failed({
    name,
    unknown,
    problem,
    whenDown,
  }: Pick<UnknownFact, 'name' | 'unknown' | 'problem' | 'whenDown'>): void {
    const now = this.#clock.now();
    const trouble = this.#troubles.get(name) ?? { untold: 0, failures: 0, toldAt: -toldEveryMs };
    this.#troubles.set(name, trouble);
    trouble.failures += 1;
    trouble.untold += 1;
    if (now - trouble.toldAt < toldEveryMs) return;
    const consequence = whenDown === 'defer' ? 'mail is deferred with 451' : 'mail is accepted without it';
    this.#log.warn(
      { filter: name, unknown, problem, times: trouble.untold },
      `a filter does not answer: ${consequence}`,
    );
    trouble.toldAt = now;
    trouble.untold = 0;
  }

  worked(name: string): void {
    const trouble = this.#troubles.get(name);
    if (trouble === undefined) return;
    this.#troubles.delete(name);
    this.#log.info({ filter: name, failures: trouble.failures }, 'a filter answers again');
  }
}
