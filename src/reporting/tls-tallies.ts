/**
 * What connections to each domain showed of TLS today, kept for tomorrow's reports: counted in memory, written to the
 * store now and then, and taken up again by the next run. What a crash takes with it are the last minutes' counts.
 */

import type { Store } from '../store/store.ts';
import type { OnTlsResult, TlsResult } from '../tls-rpt/result.ts';
import { addResult, emptyTally } from '../tls-rpt/tally.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import { type DomainDay, dayAt, dayOf, keyOf, memoKind, memoOf } from './domain-day.ts';

/** Domains that are counted in a day; those that come later are not. */
export const maxDomainsPerDay = 10_000;

export interface TalliesParts {
  store: Pick<Store, 'writeMemos' | 'listMemos'>;
  clock: Clock;
  log: Log;
  /** Default: `maxDomainsPerDay`. */
  maxDomains?: number;
}

export class TlsTallies {
  readonly #parts: TalliesParts;
  readonly #days = new Map<string, DomainDay>();
  /** Keys of what has changed since it was written. */
  readonly #changed = new Set<string>();
  /** Of this day, more domains came than are counted, and it was said. */
  #full: string | undefined;

  constructor(parts: TalliesParts) {
    this.#parts = parts;
  }

  /** Goes on with what an earlier run counted today. Resolves to the days that are over already. */
  async load(): Promise<DomainDay[]> {
    const today = dayAt(this.#parts.clock.now());
    const days = (await this.#parts.store.listMemos(memoKind)).map(dayOf);
    for (const each of days) if (each.day >= today) this.#days.set(keyOf(each), each);
    return days.filter(({ day }) => day < today);
  }

  /** Counts a result as of today: a day that is over changes no more. */
  readonly note: OnTlsResult = (result: TlsResult): void => {
    const { domain } = result;
    const day = dayAt(this.#parts.clock.now());
    const key = keyOf({ day, domain });
    const known = this.#days.get(key) ?? this.#begin({ day, domain, tally: emptyTally() });
    if (known && addResult(known.tally, result)) this.#changed.add(key);
  };

  #begin(fresh: DomainDay): DomainDay | undefined {
    const { maxDomains = maxDomainsPerDay, log } = this.#parts;
    if (this.#days.size < maxDomains) {
      this.#days.set(keyOf(fresh), fresh);
      return fresh;
    }
    if (this.#full !== fresh.day)
      log.warn({ maxDomains }, 'mail goes to too many domains today: no TLS reports for the rest of them');
    this.#full = fresh.day;
    return undefined;
  }

  /** Writes what has changed. Resolves to the days that are over: they are let go of. */
  async flush(): Promise<DomainDay[]> {
    const { store, clock } = this.#parts;
    const keys = [...this.#changed];
    const changed = keys.flatMap((key) => this.#days.get(key) ?? []);
    this.#changed.clear();
    try {
      if (changed.length > 0) await store.writeMemos(changed.map(memoOf));
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
