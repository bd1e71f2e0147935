/**
 * Jobs on their way from the store to the schedule: claimed as there is room, or handed over fresh from their acceptance,
 * sorted by site, without what may not be tried. Knows which jobs are in memory, so that none is there twice.
 */

import type { JobRow } from '../store/job.ts';
import type { ClaimedMessage } from '../store/queue-store.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import { type DeliveryGroup, groupOf, type HandOutParts, handOut, isInDoubt } from './hand-out.ts';
import { troubleMs } from './returns.ts';
import type { ScheduleEvent } from './schedule.ts';

/**
 * The lease of a claim. When it runs out while the job still waits here, the store hands it out once more; what is held
 * already is not taken twice, so nothing is sent twice.
 */
export const leaseMs = 4 * 3600_000;

export interface ClaimsParts {
  store: Pick<Store, 'claim' | 'nextDue'>;
  clock: Clock;
  log: Log;
  siteOf: HandOutParts['siteOf'];
  /** Ends look-ups that are under way. */
  signal: AbortSignal;
  /** Nothing is tried any more: all of it goes back as it came. */
  isStopping(): boolean;
  /** What may be tried of a group; the rest is on its way back to the store. */
  rest(group: DeliveryGroup): DeliveryGroup | undefined;
  /** Settles what is not tried because its last attempt is in doubt. */
  settleUntried(group: DeliveryGroup): Promise<void>;
  /** Work that somebody waits for at the end. */
  track(work: Promise<void>): Promise<void>;
  /** Tells the schedule. */
  on(event: ScheduleEvent<DeliveryGroup>): void;
}

export class Claims {
  readonly #parts: ClaimsParts;
  /** Names of the jobs that are in memory. */
  readonly #held = new Set<string>();

  constructor(parts: ClaimsParts) {
    this.#parts = parts;
  }

  /** Takes what is due from the store, so many jobs at most. */
  async claim(limit: number): Promise<void> {
    const { store, clock, log, on } = this.#parts;
    let claimed: ClaimedMessage[] = [];
    let nextDueAt: number | undefined = clock.now() + troubleMs;
    try {
      claimed = this.#notHeld(await store.claim({ now: clock.now(), limit, leaseMs, byShares: true }));
      nextDueAt = await store.nextDue();
    } catch (error) {
      log.error({ err: error }, 'cannot claim jobs from the store');
    }
    const jobCount = claimed.reduce((sum, { jobs }) => sum + jobs.length, 0);
    on({ type: 'claimed', jobCount, nextDueAt });
    for (const message of claimed) this.handOut(message);
  }

  /** Makes the schedule know of jobs that are claimed. */
  handOut(claimed: ClaimedMessage): void {
    for (const job of claimed.jobs) this.#held.add(nameOf(job));
    const { siteOf, log, signal, track } = this.#parts;
    const ready = (group: DeliveryGroup) => this.#receive(group);
    const rest = handOut({ siteOf, log, ready, signal }, claimed);
    if (rest) void track(rest);
  }

  /** It is settled, or the store has it back. */
  letGo(job: JobName): void {
    this.#held.delete(nameOf(job));
  }

  /** Without the jobs whose lease ran out while they waited here. */
  #notHeld(claimed: ClaimedMessage[]): ClaimedMessage[] {
    return claimed
      .map(({ message, jobs }) => ({ message, jobs: jobs.filter((job) => !this.#held.has(nameOf(job))) }))
      .filter(({ jobs }) => jobs.length > 0);
  }

  /** Of new work the schedule gets what is not suspended, nor in doubt. */
  #receive(group: DeliveryGroup): void {
    const { isStopping, on } = this.#parts;
    const wanted = isStopping() ? group : this.#wanted(group);
    const jobCount = group.jobCount - (wanted?.jobCount ?? 0);
    if (jobCount > 0) on({ type: 'cancelled', jobCount });
    if (wanted) on({ type: 'ready', group: wanted });
  }

  /** What is in doubt is told so at once, and is tried later: it needs no place. */
  #wanted(group: DeliveryGroup): DeliveryGroup | undefined {
    const rest = this.#parts.rest(group);
    if (!rest?.jobs.some(isInDoubt)) return rest;
    const { doubtful = [], certain } = Object.groupBy(rest.jobs, (job) =>
      isInDoubt(job) ? 'doubtful' : 'certain',
    );
    const { site, message } = rest;
    const { settleUntried, track } = this.#parts;
    void track(settleUntried(groupOf(site, message, doubtful)));
    return certain && groupOf(site, message, certain);
  }
}

type JobName = Pick<JobRow, 'queueId' | 'number'>;

const nameOf = ({ queueId, number }: JobName): string => `${queueId}.${number}`;
