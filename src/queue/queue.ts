/**
 * The queue: everything that enters goes through `accept`, everything that was tried comes back through `settle`, and
 * in between jobs are claimed and handed out as the schedule says. Durable before it answers, bounded in memory.
 * Knows neither how mail arrives nor how it is delivered.
 */

import type { EventRow } from '../store/event-store.ts';
import type { JobRow } from '../store/job.ts';
import type { NewMessage, Settlement } from '../store/queue-store.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import { Attempts, type Deliver, type NotTried } from './attempts.ts';
import { Claims } from './claims.ts';
import type { DeliveryGroup, HandOutParts, SentBy } from './hand-out.ts';
import { eachIn, takeAll } from './line.ts';
import type { Matches } from './matches.ts';
import { outlookOf, type SiteOutlook } from './outlook.ts';
import type { ScheduleRecorder } from './recording.ts';
import { Returns } from './returns.ts';
import {
  hasRoom,
  initialSchedule,
  type ScheduleCommand,
  type ScheduleEvent,
  type ScheduleLimits,
  type ScheduleState,
  step,
} from './schedule.ts';
import { SetAside } from './set-aside.ts';
import { settleWithRoom } from './settle-with-room.ts';
import type { Suspension } from './suspensions.ts';

export interface QueueParts {
  store: Store;
  clock: Clock;
  log: Log;
  limits: ScheduleLimits;
  /** Hears of every step of the schedule. */
  recorder?: Pick<ScheduleRecorder<DeliveryGroup>, 'note'> | undefined;
  /** Told of what has happened, once it is on disk. */
  onEvents(events: readonly EventRow[]): void;
  siteOf: HandOutParts['siteOf'];
  /** Mail for that destination goes to several sites: one that is down must not hold up the others. Default: none does. */
  isSplit?(destination: string): boolean;
  deliver: Deliver;
  /** In force from the start; `suspend` replaces them. */
  suspensions?: readonly Suspension[];
}

/** At shutdown deliveries that are under way get this long to end. */
const drainMs = 10_000;

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
  readonly #claims: Claims;
  readonly #aside: SetAside;
  readonly #returns: Returns;
  readonly #attempts: Attempts;
  /** The last claim, until what it brought is handed out. */
  #claiming: Promise<void> = Promise.resolve();

  constructor(parts: QueueParts) {
    this.#parts = parts;
    const { store, clock, log, siteOf, deliver } = parts;
    const common = { clock, log, signal: this.#stop.signal };
    this.#returns = new Returns({
      ...common,
      store,
      isSplit: (group) => this.#isSplit(group),
      given: (jobs) => {
        for (const job of jobs) this.#claims.letGo(job);
      },
    });
    this.#attempts = new Attempts({
      ...common,
      deliver,
      settle: (settlement) => this.settle(settlement),
    });
    this.#aside = new SetAside(
      {
        clock,
        isSplit: (group) => this.#isSplit(group),
        defer: (group, suspension) => this.#track(this.#settleUntried(group, suspension)),
        // The schedule does not know of it: nothing else would wake it then.
        putBack: (group, until) =>
          this.#putBack(group, until).then(() => this.#on({ type: 'due', at: until })),
      },
      parts.suspensions ?? [],
    );
    this.#claims = new Claims({
      ...{ ...common, store, siteOf },
      isStopping: () => this.#stopping,
      rest: (group) => this.#aside.rest(group),
      settleUntried: (group) => this.#settleUntried(group),
      track: (work) => this.#track(work),
      on: (event) => this.#on(event),
    });
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
    const isHeld = entry.jobs.every(({ memo }) => memo?.held);
    const now = this.#parts.clock.now();
    const dueAt = entry.jobs[0]?.nextAttemptAt ?? now; // what its sender holds, waits in the store
    const isDue = dueAt <= now && !isHeld;
    const claimed = isDue && this.#started && !this.#stopping && hasRoom(this.#schedule, jobCount);
    if (claimed) this.#on({ type: 'reserved', jobCount });
    try {
      await this.#parts.store.accept({ ...entry, claimed });
    } catch (error) {
      if (claimed) this.#on({ type: 'cancelled', jobCount });
      throw error;
    }
    this.#afterwards(() => {
      this.#parts.onEvents(entry.events);
      if (claimed) this.#claims.handOut(entry);
      else if (!isHeld) this.#on({ type: 'due', at: Math.max(dueAt, this.#parts.clock.now()) });
    });
  }

  /** What is on disk is acknowledged, whatever goes wrong with what comes after. */
  #afterwards(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#parts.log.error(
        { err: error },
        'internal error after a commit; the jobs come back at the next start',
      );
    }
  }

  /** Records what an attempt came to, with its reports, in one transaction. */
  async settle(
    settlement: Omit<Settlement, 'reports'> & { reports: Omit<NewMessage, 'claimed'>[] },
  ): Promise<void> {
    const reports = settlement.reports.map((report) => ({ ...report, claimed: false }));
    const { store, clock, log } = this.#parts;
    await settleWithRoom({ store, clock, log, signal: this.#stop.signal }, { ...settlement, reports });
    const { queueId } = settlement;
    for (const { number } of settlement.results) this.#claims.letGo({ queueId, number });
    this.#parts.onEvents([settlement, ...reports].flatMap(({ events }) => events));
    const retries = settlement.results.flatMap((job) => (job.result === 'retry' ? [job.nextAttemptAt] : []));
    if (reports.length > 0) retries.push(clock.now());
    if (retries.length > 0) this.#on({ type: 'due', at: Math.min(...retries) });
  }

  /** Something in the store has become due by another way than this object's, and is to be tried whatever is known. */
  wake(): void {
    this.#on({ type: 'retried' });
  }

  /** Other limits are in force. */
  limit(concurrency: number): void {
    this.#on({ type: 'limited', concurrency });
  }

  /** How the site of a waiting job stands; changes nothing. */
  async outlookOf(job: JobRow, sentBy: SentBy): Promise<SiteOutlook> {
    const site = await this.#parts.siteOf(job, this.#stop.signal, sentBy);
    const isIt = ({ message, jobs }: DeliveryGroup) =>
      message.queueId === job.queueId && jobs.some(({ number }) => number === job.number);
    return outlookOf(this.#schedule, site, isIt);
  }

  /** What waits here for its turn: claimed, as the store has it, but nothing is tried of it yet. */
  inLine(): DeliveryGroup[] {
    return [...this.#schedule.sites.byName.values()].flatMap(({ waiting }) => [...eachIn(waiting)]);
  }

  /** Jobs in the store may be due that were not before. */
  look(): void {
    this.#on({ type: 'due', at: this.#parts.clock.now() });
  }

  /**
   * From now on these are in force, and no others; what is under way ends as it does. Resolves when nothing follows the
   * others any more: what they have held in the store can be let go then.
   */
  suspend(suspensions: readonly Suspension[]): Promise<void> {
    return this.#aside.replace(suspensions);
  }

  /**
   * Lets nothing that matches begin until the returned function is called: what is changed in the store meanwhile is not
   * tried as it was. With `recall`, all that waits here goes back to the store first. What is under way ends as it does.
   */
  async withhold(matches: Matches, recall: boolean): Promise<() => void> {
    const end = this.#aside.withhold(matches);
    if (recall) this.#on({ type: 'recalled' });
    await this.#claiming; // else what it brings would be overlooked in the store, and tried as it was
    await this.#returns.done();
    return end;
  }

  /** Starts nothing new, lets what runs end, and gives the rest back to the store. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelWake?.();
    for (const { waiting } of this.#schedule.sites.byName.values()) this.#unbegun.push(...takeAll(waiting));
    const { clock, store } = this.#parts;
    const cancel = clock.after(drainMs, () => this.#stop.abort(new Error('the server is shutting down')));
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    cancel();
    const jobs = this.#unbegun.flatMap((group) => group.jobs);
    if (jobs.length > 0) await store.release(jobs);
  }

  /** Before the start there is nothing to note: the schedule begins with a look into the store. */
  #on(event: ScheduleEvent<DeliveryGroup>): void {
    if (this.#stopping && event.type === 'ready') this.#unbegun.push(event.group);
    if (!this.#started || this.#stopping) return;
    const now = this.#parts.clock.now();
    const { state, commands } = step(this.#schedule, event, now);
    this.#schedule = state;
    this.#parts.recorder?.note(event, now, commands);
    for (const command of commands) this.#obey(command);
  }

  #obey(command: ScheduleCommand<DeliveryGroup>): void {
    switch (command.type) {
      case 'start':
        return this.#start(command.group);
      case 'claim':
        this.#claiming = this.#track(this.#claims.claim(command.limit));
        return;
      case 'putBack':
        return void this.#putBack(command.group, command.until);
      case 'defer':
        return void this.#track(this.#settleUntried(command.group, command.cause));
      case 'wake':
        return this.#wakeAt(command.at);
    }
  }

  #wakeAt(at: number): void {
    this.#cancelWake?.();
    const { clock } = this.#parts;
    this.#cancelWake = clock.after(at - clock.now(), () => this.#on({ type: 'tick' }));
  }

  /** It may have been suspended while it waited for its turn. */
  #start(group: DeliveryGroup): void {
    const wanted = this.#aside.rest(group);
    if (wanted) void this.#track(this.#try(group, wanted));
    // Not at once: the schedule is in the middle of a step.
    else queueMicrotask(() => this.#on({ type: 'finished', group }));
  }

  #putBack(group: DeliveryGroup, until: number): Promise<void> {
    return this.#track(this.#returns.begin(group, until));
  }

  #isSplit({ jobs }: DeliveryGroup): boolean {
    return jobs.some(({ destination }) => this.#parts.isSplit?.(destination));
  }

  /** The schedule knows it as `group`, of which this much is tried. */
  async #try(group: DeliveryGroup, wanted: DeliveryGroup): Promise<void> {
    const site = await this.#attempts.make(wanted);
    this.#on({ type: 'finished', group, ...(site !== undefined && { site }) });
  }

  /** Without a place, since nothing is tried: the schedule does not know of it. */
  async #settleUntried(group: DeliveryGroup, cause?: NotTried): Promise<void> {
    await this.#attempts.make(group, cause);
  }

  /** Work that `stop()` waits for. What it rejects with is a bug, or the end; the promise returned does not. */
  #track(work: Promise<void>): Promise<void> {
    const tracked: Promise<void> = work
      .catch((error) => {
        if (!this.#stopping) this.#parts.log.error({ err: error }, 'internal error in the queue');
      })
      .finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
    return tracked;
  }
}
