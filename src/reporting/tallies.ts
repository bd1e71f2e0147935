/**
 * What is counted of each domain today, kept for tomorrow's reports: counted in memory, written to the store now and then, and
 * taken up again by the next run. What a crash takes with it are the last minutes' counts.
 */

import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import { type DayKind, type DomainDay, dayAt, dayOf, keyOf, memoOf } from './domain-day.ts';

/** Domains that are counted in a day; those that come later are not. */
export const maxDomainsPerDay = 10_000;

export interface TalliesParts {
  store: Pick<Store, 'writeMemos' | 'listMemos'>;
  clock: Clock;
  log: Log;
  /** Default: `maxDomainsPerDay`. */
  maxDomains?: number;
}

/** How something is counted: where there is no tally yet, and in one that there is. False where there was no room. */
export interface Counting<Tally> {
  begin(): Tally;
  add(tally: Tally): boolean;
}

export class Tallies<Tally> {
  readonly #parts: TalliesParts;
  readonly #kind: Pick<DayKind<Tally>, 'memoKind' | 'names'>;
  readonly #days = new Map<string, DomainDay<Tally>>();
  /** Keys of what has changed since it was written. */
  readonly #changed = new Set<string>();
  /** Of this day, more domains came than are counted, and it was said. */
  #full: string | undefined;

  constructor(parts: TalliesParts, kind: Pick<DayKind<Tally>, 'memoKind' | 'names'>) {
    this.#parts = parts;
    this.#kind = kind;
  }

  /** Goes on with what was counted today, by an earlier run or before a reload. Resolves to the days that are over already. */
  async load(): Promise<DomainDay<Tally>[]> {
    const today = dayAt(this.#parts.clock.now());
    const memos = await this.#parts.store.listMemos(this.#kind.memoKind);
    const days = memos.map((memo) => dayOf<Tally>(memo));
    for (const each of days)
      if (each.day >= today && !this.#days.has(keyOf(each))) this.#days.set(keyOf(each), each);
    return days.filter(({ day }) => day < today);
  }

  /** Counts something as of today: a day that is over changes no more. */
  count(domain: string, { begin, add }: Counting<Tally>): void {
    const day = dayAt(this.#parts.clock.now());
    const key = keyOf({ day, domain });
    const known = this.#days.get(key) ?? this.#begin(day, domain, begin);
    if (known && add(known.tally)) this.#changed.add(key);
  }

  #begin(day: string, domain: string, begin: () => Tally): DomainDay<Tally> | undefined {
    const { maxDomains = maxDomainsPerDay, log } = this.#parts;
    if (this.#days.size < maxDomains) {
      const fresh = { day, domain, tally: begin() };
      this.#days.set(keyOf(fresh), fresh);
      return fresh;
    }
    if (this.#full !== day)
      log.warn({ maxDomains }, `too many domains today: no ${this.#kind.names} for the rest of them`);
    this.#full = day;
    return undefined;
  }

  /** Writes what has changed. Resolves to the days that are over: they are let go of. */
  async flush(): Promise<DomainDay<Tally>[]> {
    const { store, clock } = this.#parts;
    const keys = [...this.#changed];
    const changed = keys.flatMap((key) => this.#days.get(key) ?? []);
    this.#changed.clear();
    try {
      if (changed.length > 0)
        await store.writeMemos(changed.map((each) => memoOf(this.#kind.memoKind, each)));
    } catch (error) {
      for (const key of keys) this.#changed.add(key);
      throw error;
    }
    const today = dayAt(clock.now());
    const over = [...this.#days.values()].filter(
      (each) => each.day < today && !this.#changed.has(keyOf(each)),
    );
    for (const each of over) this.#days.delete(keyOf(each));
    return over;
  }
}
