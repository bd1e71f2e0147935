/**
 * Receivers that offer an extension and do not do it, as sendTransaction() has found out: for a while they are spoken to
 * without. Known by endpoint; bounded; forgotten at a restart.
 */

import type { Endpoint } from '../../dossier/event.ts';
import type { Session } from '../../smtp/client-session.ts';
import type { Flaw } from '../../smtp/client-verdict.ts';
import type { Clock } from '../../util/clock.ts';

/** Servers are mended, so that they are asked again. */
export const flawLifetimeMs = 24 * 3600_000;
/** Beyond, the one that was noted first is forgotten. */
export const maxFlawedHosts = 1000;

export class Flaws {
  readonly #clock: Clock;
  readonly #known = new Map<string, { flaws: Set<Flaw>; until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(endpoint: Endpoint, flaw: Flaw): void {
    const key = keyOf(endpoint);
    const flaws = new Set(this.#find(key)).add(flaw);
    this.#known.delete(key);
    this.#known.set(key, { flaws, until: this.#clock.now() + flawLifetimeMs });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= maxFlawedHosts) break;
      this.#known.delete(oldest);
    }
  }

  /** Takes from a session what its receiver is known not to do. */
  strip(endpoint: Endpoint, session: Session): void {
    if (this.#known.size === 0) return;
    const flaws = this.#find(keyOf(endpoint));
    if (flaws === undefined) return;
    const missing = new Set<string>(flaws);
    const isDone = ([keyword]: [string, string]) => !missing.has(keyword);
    session.extensions = new Map([...session.extensions].filter(isDone));
  }

  #find(key: string): Set<Flaw> | undefined {
    const known = this.#known.get(key);
    if (known === undefined || known.until > this.#clock.now()) return known?.flaws;
    this.#known.delete(key);
    return undefined;
  }
}

const keyOf = ({ host, address, port }: Endpoint): string => `${host} ${address} ${port}`;
