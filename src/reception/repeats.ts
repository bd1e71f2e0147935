/**
 * Messages of our users whose `250` may not have reached the client: the connection broke before it said another word,
 * and so the client, rightly, sends again (RFC 5321 §4.5.4.1, RFC 1047). The same user, envelope and octets within ten
 * minutes get the answer that was lost, with the first queue id, and are not sent twice. Once: who has heard that answer
 * means what it sends after it. In memory only.
 */

import { createHash } from 'node:crypto';
import type { Clock } from '../util/clock.ts';

export const repeatLifeMs = 10 * 60_000;
/** Lost answers that are remembered; the oldest is forgotten first. */
export const maxRepeats = 10_000;

interface LostAnswer {
  /** Undefined where it was no 250 after all. */
  queueId: Promise<string | undefined>;
  until: number;
}

export class Repeats {
  readonly #clock: Pick<Clock, 'now'>;
  /** By key, the oldest first. */
  readonly #lost = new Map<string, LostAnswer>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** False as long as there is nothing to be found: then nobody needs to make a key. */
  get isEmpty(): boolean {
    return this.#lost.size === 0;
  }

  remember(key: string, queueId: Promise<string | undefined>): void {
    this.#lost.delete(key);
    this.#lost.set(key, { queueId, until: this.#clock.now() + repeatLifeMs });
    const [oldest] = this.#lost.keys();
    if (this.#lost.size > maxRepeats && oldest !== undefined) this.#lost.delete(oldest);
  }

  /** The queue id of the message that this one repeats; remembered no more, unless the repeated answer is lost too. */
  async take(key: string): Promise<string | undefined> {
    this.#forgetOld();
    const found = this.#lost.get(key);
    this.#lost.delete(key);
    return found?.queueId;
  }

  #forgetOld(): void {
    const now = this.#clock.now();
    for (const [key, { until }] of this.#lost) {
      if (until > now) return;
      this.#lost.delete(key);
    }
  }
}

/** All that must agree, and the digest of the octets as the client sent them. */
export function repeatKey(envelope: readonly unknown[], octets: Buffer): string {
  return createHash('sha256').update(JSON.stringify(envelope)).update(octets).digest('base64');
}
