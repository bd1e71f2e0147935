/**
 * Plays a scenario: the production schedule (`step`), the production retry times and the production reading of answers,
 * under a virtual clock, against scripted receivers and a store in memory. Nothing is random but by the seed.
 */

import { decide } from '../delivery/decision.ts';
import type { Outcome } from '../delivery/outcome.ts';
import { notTried, siteAnswer } from '../delivery/site-answer.ts';
import { limitsOfSite } from '../delivery/site-limits.ts';
import { SiteTables } from '../delivery/site-tables.ts';
import { type RetryPolicy, retryPolicy } from '../queue/retry.ts';
import {
  type Group,
  hasRoom,
  initialSchedule,
  type ScheduleCommand,
  type ScheduleEvent,
  type SiteTrouble,
  step,
} from '../queue/schedule.ts';
import { firstDownMs } from '../queue/sites.ts';
import type { JobRow } from '../store/store.ts';
import { Agenda } from './agenda.ts';
import { Backlog, type Waiting } from './backlog.ts';
import { seededRandom } from './random.ts';
import { Receiver } from './receiver.ts';
import type { ReceiverScript, Scenario } from './scenario.ts';
import { newTally, type Tally } from './tally.ts';

/** A message for one recipient. */
interface Letter extends Group, Waiting, JobRow {
  to: Party;
  firstTriedAt: number | undefined;
}

/** A receiver and what came of its mail. */
interface Party {
  receiver: Receiver;
  site: string;
  tally: Tally;
  /** Messages that come in still. */
  toCome: number;
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
  readonly #parties: Party[];
  #count = 0;
  #waiting = 0;
  #wakeAt: number | undefined;

  constructor(scenario: Scenario, startAt: number) {
    const { delivery, receivers, seed } = scenario;
    this.startAt = startAt;
    this.#scenario = scenario;
    this.#agenda = new Agenda(startAt);
    this.#random = seededRandom(seed);
    this.#retry = retryPolicy(delivery);
    this.#tables = new SiteTables(scenario.sites);
    this.#schedule = initialSchedule<Letter>({
      concurrency: delivery.concurrency,
      perSite: (site) => limitsOfSite(site, delivery, this.#tables.named(site)),
      apart: () => false,
      maxHeld,
    });
    this.#parties = receivers.map((script) => this.#newParty(script));
  }

  #newParty(script: ReceiverScript): Party {
    const { domain, mx } = script;
    const hosts = mx.map((host) => ({ host, preference: 10, addresses: [] }));
    const site = this.#tables.find({ domain, hosts })?.name ?? mx.join(', ');
    const arrivals = Math.round((script.perMinute * script.arrivalsMs) / minuteMs);
    const { permanentFailures } = this.#scenario.delivery;
    const receiver = new Receiver(script, { startAt: this.startAt, random: this.#random, permanentFailures });
    return { receiver, site, tally: newTally(script, site), toCome: arrivals };
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
    const { script } = party.receiver;
    const number = this.#count++;
    this.#waiting++;
    const queuedAt = this.now;
    party.tally.arrived(queuedAt);
    return {
      to: party,
      site: party.site,
      destination: script.domain,
      sender: `sender ${number % script.senders}`,
      queueId: '',
      number,
      recipient: script.domain,
      kind: 'remote',
      jobCount: 1,
      fresh: true,
      attempts: 0,
      queuedAt,
      nextAttemptAt: queuedAt,
      expiresAt: queuedAt + this.#retry.lifetimeMs,
      firstTriedAt: undefined,
    };
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
    tally.begin(isProbe);
    this.#agenda.plan(this.now + durationMs, () => {
      receiver.end();
      const isMany = this.#tables.named(letter.site) !== undefined;
      const site = siteAnswer([outcome], this.now, isMany);
      tally.ended();
      this.#settle(letter, outcome, site);
      this.#on({ type: 'finished', group: letter, site });
    });
  }

  #defer(letter: Letter, cause: SiteTrouble): void {
    letter.to.tally.notTried++;
    for (const outcome of notTried([letter], cause).outcomes) this.#settle(letter, outcome, cause);
  }

  /** As `deliver()` does it: a decision, and its destination held where the site is in trouble. */
  #settle(letter: Letter, outcome: Outcome, site: 'reached' | SiteTrouble): void {
    const parts = { retry: this.#retry, random: this.#random, now: this.now };
    const { result } = decide(parts, letter, outcome);
    if (result.result === 'done') return this.#close(letter, endOf(outcome));
    const { nextAttemptAt, memo } = result;
    letter.attempts++;
    letter.nextAttemptAt = nextAttemptAt;
    if (memo === undefined) delete letter.memo;
    else letter.memo = memo;
    this.#backlog.put(letter, site === 'reached' ? undefined : this.now + firstDownMs);
    this.#on({ type: 'due', at: nextAttemptAt });
  }

  #close(letter: Letter, how: End): void {
    this.#waiting--;
    letter.to.tally.closed(how, letter.queuedAt, this.now);
  }
}

type End = Parameters<Tally['closed']>[0];

const endOf = ({ kind }: Outcome): End =>
  kind === 'delivered' ? 'delivered' : kind === 'failed' ? 'refused' : 'gaveUp';
