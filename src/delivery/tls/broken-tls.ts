/**
 * Which endpoints offer TLS and fail at it, and since when: the condition under which mail without a policy may go in
 * clear text. Not before five minutes of failures without a handshake in between, so that whoever breaks one handshake
 * does not win the message. In memory: after a restart the time begins anew.
 */

import type { Endpoint } from '../../dossier/event.ts';
import type { Clock } from '../../util/clock.ts';

export interface BrokenTlsLimits {
  /** Of failed handshakes, before clear text. */
  patienceMs: number;
  /** A failure that is as old as this says nothing any more: longer than between two attempts. */
  forgetMs: number;
  /** Endpoints that are remembered; the one that failed longest ago goes first. */
  endpoints: number;
}

export const defaultBrokenTlsLimits: BrokenTlsLimits = {
  patienceMs: 5 * 60_000,
  forgetMs: 12 * 3600_000,
  endpoints: 10_000,
};

interface Failing {
  since: number;
  lastAt: number;
}

export class BrokenTls {
  readonly #clock: Clock;
  readonly #limits: BrokenTlsLimits;
  readonly #failing = new Map<string, Failing>();

  constructor(clock: Clock, limits: Partial<BrokenTlsLimits> = {}) {
    this.#clock = clock;
    this.#limits = { ...defaultBrokenTlsLimits, ...limits };
  }

  failed(endpoint: Endpoint): void {
    const now = this.#clock.now();
    const key = keyOf(endpoint);
    const since = this.#find(key)?.since ?? now;
    this.#failing.delete(key);
    this.#failing.set(key, { since, lastAt: now });
    const [oldest] = this.#failing.size > this.#limits.endpoints ? this.#failing.keys() : [];
    if (oldest !== undefined) this.#failing.delete(oldest);
  }

  worked(endpoint: Endpoint): void {
    if (this.#failing.size > 0) this.#failing.delete(keyOf(endpoint));
  }

  /** Since when handshakes have failed there, ms since the epoch, where that is long enough for clear text. */
  brokenSince(endpoint: Endpoint): number | undefined {
    const since = this.#find(keyOf(endpoint))?.since;
    const isLong = since !== undefined && this.#clock.now() - since >= this.#limits.patienceMs;
    return isLong ? since : undefined;
  }

  /** When it will have been long enough, where it is not yet. */
  brokenLongAt(endpoint: Endpoint): number | undefined {
    const since = this.#find(keyOf(endpoint))?.since;
    const longAt = since === undefined ? 0 : since + this.#limits.patienceMs;
    return longAt > this.#clock.now() ? longAt : undefined;
  }

  #find(key: string): Failing | undefined {
    const found = this.#failing.get(key);
    return found && this.#clock.now() - found.lastAt < this.#limits.forgetMs ? found : undefined;
  }
}

const keyOf = ({ host, address, port }: Endpoint): string => `${host} ${address} ${port}`;
