/**
 * Plays a scenario: the production schedule (`step`), the production retry times and the production reading of answers,
 * under a virtual clock, against scripted receivers and a store in memory. Nothing is random but by the seed.
 */

import { type DecisionParts, decide } from '../delivery/decision.ts';
import type { Outcome } from '../delivery/outcome.ts';
import { Receivers } from '../delivery/receivers/receivers.ts';
import { notTried, siteAnswer } from '../delivery/replies/site-answer.ts';
import { limitsOfSite } from '../delivery/route/site-limits.ts';
import { SiteTables } from '../delivery/route/site-tables.ts';
import type { SiteOutlook } from '../queue/outlook.ts';
import type { SiteLimits } from '../queue/pace.ts';
import { type RetryPolicy, retryPolicy } from '../queue/retry.ts';
import {
  type FullLine,
  hasRoom,
  initialSchedule,
  type ScheduleCommand,
  type ScheduleEvent,
  type SiteTrouble,
  step,
} from '../queue/schedule.ts';
import { firstDownMs, siteOf } from '../queue/sites.ts';
import { createLog } from '../util/log.ts';
import { Agenda } from './agenda.ts';
import { Backlog } from './backlog.ts';
import { type End, endOf, type Letter, newLetter } from './letter.ts';
import { newParty, type Party } from './party.ts';
import { seededRandom } from './random.ts';
import type { Scenario } from './scenario.ts';
import type { Tally } from './tally.ts';

/** A message of which it is asked when its attempt begins. */
interface Watched {
  letter: Letter;
  startsAt: number | undefined;
}

/** Who else waits, when a simulation is taken up from how things are. */
interface Others {
  inLine: number;
  ahead: number;
  behind: number;
  /** Absent for one that stands in line. */
  nextAttemptAt: number | undefined;
}

/** Jobs in memory at once, as in the server. */
const maxHeld = 5000;

/** The store answers a claim after this long. */
const claimMs = 2;

const minuteMs = 60_000;

export class Simulation {
  readonly startAt: number;
  readonly #agenda: Agenda;
  readonly #random: () => number;
  readonly #scenario: Scenario;
  readonly #retry: RetryPolicy;
  readonly #tables: SiteTables;
  readonly #schedule;
  readonly #backlog = new Backlog<Letter>();
  readonly #receivers: Receivers;
  readonly #parties: Party[];
  #count = 0;
  #waiting = 0;
  #wakeAt: number | undefined;
  #watched: Watched | undefined;

  /** `limitsOf` takes the place of what the scenario says of a site's limits. */
  constructor(scenario: Scenario, startAt: number, limitsOf?: (site: string) => SiteLimits) {
    const { delivery, receivers, seed } = scenario;
    this.startAt = startAt;
    this.#scenario = scenario;
    this.#agenda = new Agenda(startAt);
    this.#random = seededRandom(seed);
    this.#retry = retryPolicy(delivery);
    // What is learned of receivers is for this run: it is written nowhere.
    const clock = { now: () => this.now, after: () => () => undefined };
    this.#receivers = new Receivers({ store: noMemos, clock, log: createLog('silent') });
    this.#tables = new SiteTables(scenario.sites);
    this.#schedule = initialSchedule<Letter>({
      concurrency: delivery.concurrency,
      perSite: limitsOf ?? ((site) => limitsOfSite(site, delivery, this.#tables.named(site))),
      apart: () => false,
      maxHeld,
    });
    const { permanentFailures } = delivery;
    const receiverParts = { startAt, random: this.#random, permanentFailures };
    this.#parties = receivers.map((script) => newParty(script, this.#tables, receiverParts));
  }

  get now(): number {
    return this.#agenda.now;
  }

  /** Messages that have not arrived, nor been given up, at this moment. */
  get waiting(): number {
    return this.#waiting;
  }

  get tallies(): readonly Tally[] {
    return this.#parties.map(({ tally }) => tally);
  }

  /** What waits at the beginning is put into the store, and the server starts. */
  begin(): void {
    for (const party of this.#parties) {
      for (let number = 0; number < party.receiver.script.queued; number++)
        this.#backlog.put(this.#newLetter(party));
      this.#planArrival(party);
    }
    this.#on({ type: 'tick' });
  }

  /**
   * Instead of `begin()`: the first receiver's site stands as `outlook` says, with so many in line; so many others wait in
   * the store, due before one and after it. The answer tells, later, when the attempt of that one began, which may be
   * tried at `nextAttemptAt`, or stands in line itself.
   */
  resume(outlook: SiteOutlook, { inLine, ahead, behind, nextAttemptAt }: Others): () => number | undefined {
    const [party] = this.#parties;
    if (party === undefined) throw new Error('a scenario without receivers');
    this.#recall(party.site, outlook);
    const store = (letter: Letter) => this.#backlog.put(letter, outlook.trouble?.until);
    for (let number = 0; number < ahead; number++) store(this.#oldLetter(party));
    const letter = this.#oldLetter(party);
    const watched: Watched = { letter, startsAt: undefined };
    this.#watched = watched;
    if (nextAttemptAt !== undefined) {
      letter.nextAttemptAt = nextAttemptAt;
      store(letter);
    }
    for (let number = 0; number < behind; number++)
      store({ ...this.#oldLetter(party), nextAttemptAt: letter.nextAttemptAt });
    this.#on({ type: 'tick' });
    for (let number = 0; number < outlook.active + inLine; number++) this.#accept(this.#newLetter(party));
    if (nextAttemptAt === undefined) this.#accept(letter);
    return () => watched.startsAt;
  }

  #recall(name: string, { allowed, evenAt, proven, trouble }: SiteOutlook): void {
    const { sites } = this.#schedule;
    const site = siteOf(sites, name);
    site.pace.allowed = allowed;
    site.pace.evenAt = evenAt ?? site.pace.evenAt;
    site.proven = proven;
    site.trouble = trouble && { ...trouble, failures: 1 };
    sites.known.add(name);
  }

  #oldLetter(party: Party): Letter {
    return { ...this.#newLetter(party), attempts: 1 };
  }

  /** Plays on, for some steps at most; false when nothing is left to come, or the scenario's time is over. */
  play(steps: number): boolean {
    const end = this.startAt + this.#scenario.lengthMs;
    for (let step = 0; step < steps; step++) {
      const isDrained = this.#waiting === 0 && this.#parties.every(({ toCome }) => toCome === 0);
      if (isDrained || (this.#agenda.nextAt ?? end) >= end) return false;
      this.#agenda.doNext();
    }
    return true;
  }

  /** Told after the last step: who waits still has waited until now. */
  end(): void {
    for (const { tally } of this.#parties) tally.end(this.now);
  }

  #newLetter(party: Party): Letter {
    this.#waiting++;
    party.tally.arrived(this.now);
    return newLetter(party, {
      number: this.#count++,
      queuedAt: this.now,
      lifetimeMs: this.#retry.lifetimeMs,
    });
  }

  /** One after the other, at random intervals. */
  #planArrival(party: Party): void {
    if (party.toCome === 0) return;
    const meanMs = minuteMs / party.receiver.script.perMinute;
    this.#agenda.plan(this.now - Math.log(1 - this.#random()) * meanMs, () => {
      party.toCome--;
      this.#accept(this.#newLetter(party));
      this.#planArrival(party);
    });
  }

  /** As `Queue.accept()` does it. */
  #accept(letter: Letter): void {
    if (hasRoom(this.#schedule, 1)) {
      this.#on({ type: 'reserved', jobCount: 1 });
      this.#on({ type: 'ready', group: letter });
    } else {
      this.#backlog.put(letter);
      this.#on({ type: 'due', at: this.now });
    }
  }

  #on(event: ScheduleEvent<Letter>): void {
    for (const command of step(this.#schedule, event, this.now).commands) this.#obey(command);
  }

  #obey(command: ScheduleCommand<Letter>): void {
    switch (command.type) {
      case 'start':
        return this.#attempt(command.group);
      case 'claim':
        return this.#agenda.plan(this.now + claimMs, () => this.#claim(command.limit));
      case 'putBack':
        return this.#backlog.release(command.group, command.until);
      case 'defer':
        return this.#defer(command.group, command.cause);
      case 'wake':
        this.#wakeAt = command.at;
        return this.#agenda.plan(command.at, () => this.#wake(command.at));
    }
  }

  /** Only what was asked for last. */
  #wake(at: number): void {
    if (this.#wakeAt !== at) return;
    this.#wakeAt = undefined;
    this.#on({ type: 'tick' });
  }

  #claim(limit: number): void {
    const letters = this.#backlog.claim(this.now, limit);
    this.#on({ type: 'claimed', jobCount: letters.length, nextDueAt: this.#backlog.nextDue() });
    for (const letter of letters) {
      letter.fresh = letter.attempts === 0;
      this.#on({ type: 'ready', group: letter });
    }
  }

  #attempt(letter: Letter): void {
    const { receiver, tally } = letter.to;
    const isProbe = this.#schedule.sites.byName.get(letter.site)?.trouble !== undefined;
    const { outcome, durationMs } = receiver.begin(letter, this.now);
    letter.firstTriedAt ??= this.now;
    if (this.#watched?.letter === letter) this.#watched.startsAt ??= this.now;
    tally.begin(isProbe);
    const learned = this.#receivers.begin(letter.site);
    this.#agenda.plan(this.now + durationMs, () => {
      receiver.end();
      const isMany = this.#tables.named(letter.site) !== undefined;
      const site = siteAnswer([outcome], this.now, isMany);
      tally.ended();
      learned({ jobs: [letter], outcomes: [outcome], events: [] });
      this.#settle(letter, outcome, site);
      this.#on({ type: 'finished', group: letter, ...(site && { site }) });
    });
  }

  #defer(letter: Letter, cause: SiteTrouble | FullLine): void {
    letter.to.tally.notTried++;
    const site = cause.kind === 'full' ? 'reached' : cause;
    for (const outcome of notTried([letter], cause).outcomes) this.#settle(letter, outcome, site);
  }

  /** As `deliver()` does it: a decision, and its destination held where the site is in trouble. */
  #settle(letter: Letter, outcome: Outcome, site: 'reached' | SiteTrouble | undefined): void {
    const retry = this.#retry;
    const greylisting: DecisionParts['greylisting'] = (job, trouble) =>
      this.#receivers.greylisting(letter.site, job, trouble, retry);
    const { result } = decide({ retry, random: this.#random, now: this.now, greylisting }, letter, outcome);
    if (result.result === 'done') return this.#close(letter, endOf(outcome));
    const { nextAttemptAt, memo } = result;
    letter.attempts++;
    letter.nextAttemptAt = nextAttemptAt;
    if (memo === undefined) delete letter.memo;
    else letter.memo = memo;
    this.#backlog.put(letter, site === undefined || site === 'reached' ? undefined : this.now + firstDownMs);
    this.#on({ type: 'due', at: nextAttemptAt });
  }

  #close(letter: Letter, how: End): void {
    this.#waiting--;
    letter.to.tally.closed(how, letter.queuedAt, this.now);
  }
}

const noMemos = {
  listMemos: async () => [],
  writeMemos: async () => undefined,
  removeMemos: async () => 0,
};
