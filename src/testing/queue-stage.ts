/** A real queue before a test's eyes: the test sees what is begun, and says how each delivery ends. */

import type { NotTried } from '../queue/attempts.ts';
import type { DeliveryGroup } from '../queue/hand-out.ts';
import { Queue, type QueueParts } from '../queue/queue.ts';
import type { SiteTrouble } from '../queue/sites.ts';
import type { JobResult, NewMessage } from '../store/queue-store.ts';
import type { Clock } from '../util/clock.ts';
import { createLog } from '../util/log.ts';
import { places } from './schedule-stage.ts';

export const namesOf = ({ jobs }: DeliveryGroup): string => jobs.map(({ recipient }) => recipient).join(' ');

/** A queue whose deliveries stay under way until the test ends them. */
export class QueueStage {
  readonly queue: Queue;
  readonly begun: DeliveryGroup[] = [];
  /** Those of `begun` that are only to be recorded. */
  readonly untried: DeliveryGroup[] = [];
  readonly errors: unknown[] = [];
  readonly signals: AbortSignal[] = [];
  readonly #ends = new Map<DeliveryGroup, PromiseWithResolvers<'reached' | SiteTrouble>>();
  #changed = Promise.withResolvers<void>();

  readonly #clock: Clock;

  constructor(parts: Pick<QueueParts, 'store' | 'clock'> & Partial<QueueParts>) {
    this.#clock = parts.clock;
    const output = { write: (line: string) => void this.#note(() => this.errors.push(JSON.parse(line))) };
    this.queue = new Queue({
      log: createLog('error', output),
      limits: { concurrency: 10, perSite: () => places(5), apart: () => false, maxHeld: 100 },
      onEvents: () => undefined,
      siteOf: ({ destination }) => destination,
      deliver: (group, signal, untried) => this.#deliver(group, signal, untried),
      ...parts,
    });
  }

  /** Resolves when that many deliveries have begun in all; to their recipients. */
  async hasBegun(times: number): Promise<string[]> {
    while (this.begun.length < times) await this.#changed.promise;
    return this.begun.map(namesOf);
  }

  async hasLogged(times: number): Promise<void> {
    while (this.errors.length < times) await this.#changed.promise;
  }

  /** Ends a delivery as the sending part does: with a settlement. */
  async settle(
    group: DeliveryGroup,
    result: 'done' | { retryAfter: number },
    reports: Omit<NewMessage, 'claimed'>[] = [],
    site: 'reached' | SiteTrouble = 'reached',
  ) {
    const results = group.jobs.map(
      ({ number }): JobResult =>
        result === 'done'
          ? { number, result }
          : {
              number,
              result: 'retry',
              nextAttemptAt: this.#clock.now() + result.retryAfter,
              lastError: 'not now',
            },
    );
    await this.queue.settle({ queueId: group.message.queueId, results, events: [], reports });
    this.end(group, site);
  }

  /** The delivery ends, with what it found out about the site. */
  end(group: DeliveryGroup, site: 'reached' | SiteTrouble = 'reached'): void {
    this.#ends.get(group)?.resolve(site);
  }

  /** The delivery comes to an end without a settlement. */
  crash(group: DeliveryGroup): void {
    this.#ends.get(group)?.reject(new Error('a bug'));
  }

  #deliver(group: DeliveryGroup, signal: AbortSignal, untried?: NotTried): Promise<'reached' | SiteTrouble> {
    if (untried) this.untried.push(group);
    const end = Promise.withResolvers<'reached' | SiteTrouble>();
    this.#ends.set(group, end);
    this.signals.push(signal);
    this.#note(() => this.begun.push(group));
    return end.promise;
  }

  #note(change: () => void): void {
    change();
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
