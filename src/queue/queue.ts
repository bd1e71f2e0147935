/**
 * The queue: everything that enters goes through `accept`, everything that was tried comes back through `settle`, and
 * in between jobs are claimed and handed out as the schedule says. Durable before it answers, bounded in memory.
 * Knows neither how mail arrives nor how it is delivered.
 */

import { StoreFullError } from '../store/errors.ts';
import type {
  ClaimedMessage,
  EventRow,
  JobRow,
  MessageRow,
  NewMessage,
  Settlement,
  Store,
} from '../store/store.ts';
import { type Clock, sleep } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import type { MaybePromise } from '../util/maybe-promise.ts';
import {
  hasRoom,
  initialSchedule,
  type ScheduleEvent,
  type ScheduleLimits,
  type ScheduleState,
  step,
} from './schedule.ts';

/** One message's jobs for one receiving site. */
export interface DeliveryGroup {
  site: string;
  jobCount: number;
  message: MessageRow;
  jobs: JobRow[];
}

export interface QueueParts {
  store: Store;
  clock: Clock;
  log: Log;
  limits: ScheduleLimits;
  /** Told of what has happened, once it is on disk. */
  onEvents(events: readonly EventRow[]): void;
  /** A name for where a job goes; jobs with the same name share transactions and connections. */
  siteOf(job: JobRow): MaybePromise<string>;
  /** Tries a group and calls `settle`. A rejection is a bug: the jobs come again after `crashWaitMs`. */
  deliver(group: DeliveryGroup, signal: AbortSignal): Promise<void>;
}

/** A claim that is not settled after this long is void; longer than any attempt may take. */
export const leaseMs = 4 * 3600_000;

/** At shutdown deliveries that are under way get this long to end. */
const drainMs = 10_000;

/** After a store error the schedule looks again, and what could not be written is written again, after this long. */
const troubleMs = 5_000;

/** A group whose delivery crashed is tried again after this long: a bug must neither lose mail nor spin. */
const crashWaitMs = 3600_000;

export class Queue {
  readonly #parts: QueueParts;
  #schedule: ScheduleState<DeliveryGroup>;
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #cancelWake: (() => void) | undefined;
  #started = false;
  #stopping = false;
  /** Claimed, but not begun when the queue was stopped. */
  readonly #unbegun: DeliveryGroup[] = [];

  constructor(parts: QueueParts) {
    this.#parts = parts;
    this.#schedule = initialSchedule(parts.limits);
  }

  /** Begins to work on what is due. */
  start(): void {
    this.#started = true;
    this.#on({ type: 'tick' });
  }

  /** Resolves when the message and its jobs are on disk: the moment before `250`. */
  async accept(entry: Omit<NewMessage, 'claimed'>): Promise<void> {
    const jobCount = entry.jobs.length;
    const claimed = this.#started && !this.#stopping && hasRoom(this.#schedule, jobCount);
    if (claimed) this.#on({ type: 'reserved', jobCount });
    try {
      await this.#parts.store.accept({ ...entry, claimed });
    } catch (error) {
      if (claimed) this.#on({ type: 'cancelled', jobCount });
      throw error;
    }
    this.#parts.onEvents(entry.events);
    if (claimed) this.#handOut(entry);
    else this.#on({ type: 'due', at: this.#parts.clock.now() });
  }

  /** Records what an attempt came to, with its reports, in one transaction. */
  async settle(
    settlement: Omit<Settlement, 'reports'> & { reports: Omit<NewMessage, 'claimed'>[] },
  ): Promise<void> {
    const reports = settlement.reports.map((report) => ({ ...report, claimed: false }));
    await this.#record({ ...settlement, reports });
    this.#parts.onEvents([settlement, ...reports].flatMap(({ events }) => events));
    const retries = settlement.results.flatMap((job) => (job.result === 'retry' ? [job.nextAttemptAt] : []));
    if (reports.length > 0) retries.push(this.#parts.clock.now());
    if (retries.length > 0) this.#on({ type: 'due', at: Math.min(...retries) });
  }

  /** On a full disk the result waits, and keeps its place in the schedule: without it the message would go out again. */
  async #record(settlement: Settlement): Promise<void> {
    const { store, clock, log } = this.#parts;
    for (;;) {
      try {
        return await store.settle(settlement);
      } catch (error) {
        if (!(error instanceof StoreFullError)) throw error;
        log.error(
          { queueId: settlement.queueId },
          'the disk is full; the result of a delivery waits for room',
        );
        await sleep(clock, troubleMs, this.#stop.signal);
      }
    }
  }

  /** Something in the store has become due by another way than this object's. */
  wake(): void {
    this.#on({ type: 'due', at: this.#parts.clock.now() });
  }

  /** Starts nothing new, lets what runs end, and gives the rest back to the store. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelWake?.();
    for (const { waiting } of this.#schedule.sites.values()) this.#unbegun.push(...waiting.splice(0));
    const { clock, store } = this.#parts;
    const cancel = clock.after(drainMs, () => this.#stop.abort(new Error('the server is shutting down')));
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    cancel();
    const jobs = this.#unbegun.flatMap((group) =>
      group.jobs.map(({ queueId, number }) => ({ queueId, number })),
    );
    if (jobs.length > 0) await store.release(jobs);
  }

  /** Before the start there is nothing to note: the schedule begins with a look into the store. */
  #on(event: ScheduleEvent<DeliveryGroup>): void {
    if (this.#stopping && event.type === 'ready') this.#unbegun.push(event.group);
    if (!this.#started || this.#stopping) return;
    const { state, commands } = step(this.#schedule, event, this.#parts.clock.now());
    this.#schedule = state;
    for (const command of commands) {
      if (command.type === 'start') this.#start(command.group);
      else if (command.type === 'claim') this.#track(this.#claim(command.limit));
      else this.#wakeAt(command.at);
    }
  }

  #wakeAt(at: number): void {
    this.#cancelWake?.();
    const { clock } = this.#parts;
    this.#cancelWake = clock.after(at - clock.now(), () => this.#on({ type: 'tick' }));
  }

  async #claim(limit: number): Promise<void> {
    const { store, clock, log } = this.#parts;
    try {
      const claimed = await store.claim({ now: clock.now(), limit, leaseMs });
      const jobCount = claimed.reduce((sum, { jobs }) => sum + jobs.length, 0);
      const nextDueAt = jobCount < limit ? await store.nextDue() : clock.now();
      this.#on({ type: 'claimed', jobCount, nextDueAt });
      for (const message of claimed) this.#handOut(message);
    } catch (error) {
      log.error({ err: error }, 'cannot claim jobs from the store');
      this.#on({ type: 'claimed', jobCount: 0, nextDueAt: clock.now() + troubleMs });
    }
  }

  /** Sorts a message's jobs by receiving site and makes the groups ready. */
  #handOut({ message, jobs }: ClaimedMessage): void {
    const [only] = jobs;
    const site = only && jobs.length === 1 ? this.#parts.siteOf(only) : undefined;
    if (typeof site === 'string') this.#on({ type: 'ready', group: { site, jobCount: 1, message, jobs } });
    else this.#track(this.#handOutBySite({ message, jobs }));
  }

  async #handOutBySite({ message, jobs }: ClaimedMessage): Promise<void> {
    const sites = await Promise.all(jobs.map((job) => this.#parts.siteOf(job)));
    const groups = Map.groupBy(jobs.entries(), ([index]) => sites[index] ?? '');
    for (const [site, entries] of groups) {
      const group = { site, jobCount: entries.length, message, jobs: entries.map(([, job]) => job) };
      this.#on({ type: 'ready', group });
    }
  }

  #start(group: DeliveryGroup): void {
    const work = this.#parts
      .deliver(group, this.#stop.signal)
      .catch((error) => this.#postpone(group, error))
      .then(() => this.#on({ type: 'finished', group }));
    this.#track(work);
  }

  async #postpone({ message: { queueId }, jobs }: DeliveryGroup, error: unknown): Promise<void> {
    const { clock, log } = this.#parts;
    log.error({ err: error, queueId }, 'delivery crashed; it is tried again later');
    const again = { result: 'retry' as const, nextAttemptAt: clock.now() + crashWaitMs };
    const results = jobs.map(({ number }) => ({
      number,
      ...again,
      lastError: 'internal error; see the log',
    }));
    try {
      await this.settle({ queueId, results, events: [], reports: [] });
    } catch (cause) {
      log.error(
        { err: cause, queueId },
        'that cannot be written either; its jobs come back at the next start',
      );
    }
  }

  #track(work: Promise<void>): void {
    const tracked: Promise<void> = work.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }
}
