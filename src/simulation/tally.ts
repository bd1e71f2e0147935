/** What came of one receiver's mail in a simulation, and how much of it waited when. */

import type { ReceiverScript } from './scenario.ts';

/** Moments at which waiting mail is counted, at most: then every other one is left out. */
const maxSamples = 600;

/** At first; it doubles with each thinning. */
const firstStepMs = 1000;

export interface Sample {
  at: number;
  waiting: number;
}

export class Tally {
  readonly script: ReceiverScript;
  readonly site: string;
  messages = 0;
  delivered = 0;
  /** For good, by the receiver. */
  refused = 0;
  /** Their time was over. */
  gaveUp = 0;
  attempts = 0;
  /** Attempts that found out how a site in trouble is. */
  probes = 0;
  /** Put off without an attempt, because their site was in trouble. */
  notTried = 0;
  peakConnections = 0;
  longestWaitMs = 0;
  /** When the last one left, if none waits. */
  drainedAt: number | undefined;
  waiting = 0;
  #samples: Sample[] = [];
  #stepMs = firstStepMs;
  #active = 0;
  /** When those that wait came, as far as it is known that they do. */
  readonly #cameAt = new Map<number, number>();

  constructor(script: ReceiverScript, site: string) {
    this.script = script;
    this.site = site;
  }

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  /** Attempts that did not deliver. */
  get retries(): number {
    return this.attempts - this.delivered - this.refused;
  }

  arrived(at: number): void {
    this.messages++;
    this.waiting++;
    this.drainedAt = undefined;
    this.#cameAt.set(at, (this.#cameAt.get(at) ?? 0) + 1);
    this.#sample(at);
  }

  begin(isProbe: boolean): void {
    this.attempts++;
    if (isProbe) this.probes++;
    this.#active++;
    this.peakConnections = Math.max(this.peakConnections, this.#active);
  }

  ended(): void {
    this.#active--;
  }

  closed(how: 'delivered' | 'refused' | 'gaveUp', cameAt: number, now: number): void {
    this[how]++;
    this.waiting--;
    this.longestWaitMs = Math.max(this.longestWaitMs, now - cameAt);
    const left = (this.#cameAt.get(cameAt) ?? 1) - 1;
    if (left > 0) this.#cameAt.set(cameAt, left);
    else this.#cameAt.delete(cameAt);
    if (this.waiting === 0) this.drainedAt = now;
    this.#sample(now);
  }

  /** The simulation is over; what waits still has waited until now. */
  end(now: number): void {
    for (const cameAt of this.#cameAt.keys()) this.longestWaitMs = Math.max(this.longestWaitMs, now - cameAt);
    this.#samples.push({ at: now, waiting: this.waiting });
  }

  #sample(at: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && at - last.at < this.#stepMs) {
      last.waiting = this.waiting; // of one step the last word counts
      return;
    }
    this.#samples.push({ at, waiting: this.waiting });
    if (this.#samples.length <= maxSamples) return;
    this.#samples = this.#samples.filter((_, index) => index % 2 === 0);
    this.#stepMs *= 2;
  }
}
