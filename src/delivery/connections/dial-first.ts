/**
 * Connects to the first of a host's addresses that answers, as `address-race.ts` has it. Those that lose are let go at
 * once. Whoever failed is told of, with its error.
 */

import type { Endpoint } from '../../dossier/event.ts';
import type { Conversation, Dial } from '../../smtp/conversation.ts';
import type { Clock } from '../../util/clock.ts';
import { findRival, headStartMs, nextToTry } from './address-race.ts';

export interface Dialled {
  /** Absent where every address failed. */
  first?: {
    conversation: Conversation;
    endpoint: Endpoint;
    startedAt: number;
    /** Those that were being tried when it answered. */
    outran: readonly Endpoint[];
  };
  failures: readonly DialFailure[];
}

export interface DialFailure {
  endpoint: Endpoint;
  startedAt: number;
  /** What `dial` rejected with. */
  error: unknown;
}

export interface DialFirstParts {
  dial: Dial;
  clock: Clock;
  /** For each connection by itself. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** Tries the endpoints, best first. Never rejects. */
export function dialFirst(parts: DialFirstParts, endpoints: readonly Endpoint[]): Promise<Dialled> {
  const [only, second] = endpoints;
  return only !== undefined && second === undefined
    ? dialOnly(parts, only)
    : new Race(parts, endpoints).run();
}

async function dialOnly(
  { dial, clock, timeoutMs, signal }: DialFirstParts,
  endpoint: Endpoint,
): Promise<Dialled> {
  const startedAt = clock.now();
  try {
    const conversation = await dial(endpoint, { timeoutMs, signal });
    return { first: { conversation, endpoint, startedAt, outran: [] }, failures: [] };
  } catch (error) {
    return { failures: [{ endpoint, startedAt, error }] };
  }
}

interface Try {
  endpoint: Endpoint;
  startedAt: number;
  stop: AbortController;
}

class Race {
  readonly #parts: DialFirstParts;
  readonly #end = Promise.withResolvers<Dialled>();
  readonly #underway = new Set<Try>();
  readonly #failures: DialFailure[] = [];
  #waiting: readonly Endpoint[];
  #headStartIsOver = false;
  #cancelHeadStart: (() => void) | undefined;
  #isOver = false;

  constructor(parts: DialFirstParts, endpoints: readonly Endpoint[]) {
    this.#parts = parts;
    this.#waiting = endpoints;
  }

  run(): Promise<Dialled> {
    this.#goOn();
    return this.#end.promise;
  }

  /** Begins with whatever it is the turn of; ends when nothing is left. */
  #goOn(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) this.#begin(next);
    if (this.#underway.size === 0) this.#finish({ failures: this.#failures });
  }

  #next(): Endpoint | undefined {
    // Who is stopped needs no further address.
    if (this.#parts.signal?.aborted && this.#failures.length > 0) return undefined;
    const underway = this.#endpointsUnderway();
    return nextToTry({ waiting: this.#waiting, underway, headStartIsOver: this.#headStartIsOver });
  }

  #begin(endpoint: Endpoint): void {
    const { clock } = this.#parts;
    const attempt: Try = { endpoint, startedAt: clock.now(), stop: new AbortController() };
    this.#waiting = this.#waiting.filter((each) => each !== endpoint);
    this.#underway.add(attempt);
    this.#startHeadStart();
    this.#dial(attempt).then(
      (conversation) => this.#answered(attempt, conversation),
      (error: unknown) => this.#failed(attempt, error),
    );
  }

  async #dial({ endpoint, stop }: Try): Promise<Conversation> {
    const { dial, timeoutMs, signal } = this.#parts;
    const stopped = signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]);
    return dial(endpoint, { timeoutMs, signal: stopped });
  }

  /** Where nobody is left to run beside them, there is nothing to wait for. */
  #startHeadStart(): void {
    this.#cancelHeadStart?.();
    this.#headStartIsOver = false;
    this.#cancelHeadStart = undefined;
    if (findRival(this.#waiting, this.#endpointsUnderway()) === undefined) return;
    this.#cancelHeadStart = this.#parts.clock.after(headStartMs, () => {
      this.#headStartIsOver = true;
      this.#goOn();
    });
  }

  #answered(attempt: Try, conversation: Conversation): void {
    // It answered in the moment in which another one had won.
    if (this.#isOver) return conversation.close();
    this.#underway.delete(attempt);
    const { endpoint, startedAt } = attempt;
    const outran = this.#endpointsUnderway();
    this.#finish({ first: { conversation, endpoint, startedAt, outran }, failures: this.#failures });
    for (const { stop } of this.#underway) stop.abort();
  }

  #failed(attempt: Try, error: unknown): void {
    // Also one that has lost fails, by being stopped.
    if (this.#isOver) return;
    this.#underway.delete(attempt);
    this.#failures.push({ endpoint: attempt.endpoint, startedAt: attempt.startedAt, error });
    this.#goOn();
  }

  #finish(dialled: Dialled): void {
    this.#isOver = true;
    this.#cancelHeadStart?.();
    this.#end.resolve(dialled);
  }

  #endpointsUnderway(): Endpoint[] {
    return [...this.#underway].map(({ endpoint }) => endpoint);
  }
}
