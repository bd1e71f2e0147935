/**
 * The sessions that are open, and how long they may be silent: not long where there are nearly as many as there may be. Else
 * a few hundred connections that say nothing, each from another address, would keep everybody else out for as long as
 * one patient client may take.
 */

import type { Log } from '../util/log.ts';
import type { OpenSession } from './connection.ts';

export interface CrowdLimits {
  /** There may be so many. */
  sessions: number;
  /** Silence that is borne while there is room. */
  idleMs: number;
}

/** Parts of the sessions that there may be: from here on it is crowded, and below there it is calm again. */
export const crowdedAbove = 0.75;
export const calmBelow = 0.5;
/** Silence that is borne in a crowd: a server that sends mail, and a program that fetches it, have something to say. */
export const crowdedIdleMs = 10_000;

export class Crowd {
  readonly sessions: ReadonlySet<OpenSession>;
  readonly #sessions = new Set<OpenSession>();
  readonly #limits: () => CrowdLimits;
  readonly #log: Log;
  #isCrowded = false;

  /** `limits` is asked each time: they may change. */
  constructor(limits: () => CrowdLimits, log: Log) {
    this.#limits = limits;
    this.#log = log;
    this.sessions = this.#sessions;
  }

  add(session: OpenSession): void {
    this.#sessions.add(session);
    void session.closed.then(() => this.#left(session));
    if (this.#isCrowded) session.limitIdle(this.#idleMs);
    else if (this.#sessions.size > this.#limits().sessions * crowdedAbove) this.#change(true);
  }

  get #idleMs(): number {
    const { idleMs } = this.#limits();
    return this.#isCrowded ? Math.min(idleMs, crowdedIdleMs) : idleMs;
  }

  #left(session: OpenSession): void {
    this.#sessions.delete(session);
    if (this.#isCrowded && this.#sessions.size < this.#limits().sessions * calmBelow) this.#change(false);
  }

  #change(isCrowded: boolean): void {
    this.#isCrowded = isCrowded;
    const { size } = this.#sessions;
    if (isCrowded) this.#log.warn({ sessions: size }, 'many sessions: who says nothing is sent away sooner');
    else this.#log.info({ sessions: size }, 'there is room for sessions again');
    for (const session of this.#sessions) session.limitIdle(this.#idleMs);
  }
}
