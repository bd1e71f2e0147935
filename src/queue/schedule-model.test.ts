import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectEmpty, minute, type Piece, piece, refused, tooFast } from '../testing/schedule-stage.ts';
import { allowedFrom } from './pace.ts';
import {
  hasRoom,
  initialSchedule,
  type ScheduleEvent,
  type ScheduleLimits,
  type SiteTrouble,
  step,
} from './schedule.ts';

/** What a test run does next. */
type Move =
  | { kind: 'accept'; sites: string[] }
  | {
      kind: 'finish';
      which: number;
      retryAfter: number | undefined;
      site: 'reached' | SiteTrouble | undefined;
    }
  | { kind: 'answer' }
  | { kind: 'wait'; ms: number };

const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({
    kind: fc.constant('accept' as const),
    sites: fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant('finish' as const),
    which: fc.nat(20),
    retryAfter: fc.option(fc.nat(50), { nil: undefined }),
    site: fc.constantFrom('reached' as const, 'reached' as const, refused, tooFast, undefined),
  }),
  fc.constant({ kind: 'answer' } as const),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.oneof(fc.nat(40), fc.nat(3 * minute)) }),
);

/** Of one of the sites: few enough to be reached, and enough for the end to come. */
const messagesPerHour = 40;

const someLimits = fc
  .record({ concurrency: fc.integer({ min: 1, max: 6 }), perSite: fc.nat(3), maxHeld: fc.nat(12) })
  .map(({ concurrency, perSite, maxHeld }) => ({
    concurrency,
    perSite: (site: string) => ({
      connections: perSite + (site === 'a' ? 2 : 1),
      start: 1 + (perSite % 2),
      ...(site === 'c' && { messagesPerHour }),
    }),
    apart: (site: string) => site === 'd',
    maxHeld: maxHeld + 4, // a message has up to four jobs
  }));

/** A queue in miniature, with a store that is a list, which checks the schedule's promises after every step. */
class Model {
  readonly state;
  readonly recorded: { event: ScheduleEvent<Piece>; now: number; commands: unknown[] }[] = [];
  readonly #limits: ScheduleLimits;
  #now = 0;
  #stored: { site: string; dueAt: number; fresh: boolean }[] = [];
  #claimLimit: number | undefined;
  #wakeAt: number | undefined;
  #running: Piece[] = [];
  #count = 0;
  /** When attempts began, in the last hour, at the site with a limit. */
  #hour: number[] = [];

  constructor(limits: ScheduleLimits) {
    this.#limits = limits;
    this.state = initialSchedule<Piece>(limits);
    this.#on({ type: 'tick' });
  }

  perform(move: Move): void {
    if (move.kind === 'accept') this.#accept(move.sites);
    else if (move.kind === 'finish') this.#finish(move);
    else if (move.kind === 'answer') this.#answerClaim();
    else this.#wait(move.ms);
  }

  /** Lets everything come to its end; false where it does not. */
  drains(): boolean {
    for (let round = 0; round < 2000; round++) {
      // What waits for its share of the hour is nowhere but in memory.
      const isHeld = this.state.held > 0 || this.#claimLimit !== undefined;
      if (this.#running.length === 0 && this.#stored.length === 0 && !isHeld) return true;
      this.#answerClaim();
      this.#finish({ which: 0, retryAfter: undefined, site: 'reached' });
      if (this.#running.length === 0) this.#wait(Math.max(0, (this.#wakeAt ?? this.#now) - this.#now));
    }
    return false;
  }

  #accept(sites: string[]): void {
    const claimed = hasRoom(this.state, sites.length);
    if (claimed) {
      this.#on({ type: 'reserved', jobCount: sites.length });
      this.#handOut(sites.map((site) => ({ site, fresh: true })));
    } else {
      this.#stored.push(...sites.map((site) => ({ site, dueAt: this.#now, fresh: true })));
      this.#on({ type: 'due', at: this.#now });
    }
  }

  #handOut(jobs: { site: string; fresh: boolean }[]): void {
    for (const [site, own] of Map.groupBy(jobs, ({ site }) => site)) {
      const fresh = own.some((job) => job.fresh);
      this.#on({
        type: 'ready',
        group: piece(`${site}${this.#count++}`, site, {
          jobCount: own.length,
          fresh,
          sender: `sender ${this.#count % 3}`,
        }),
      });
    }
  }

  #finish({ which, retryAfter, site }: Omit<Move & { kind: 'finish' }, 'kind'>): void {
    const group = this.#running[which % Math.max(1, this.#running.length)];
    if (!group) return;
    if (retryAfter !== undefined) this.#retry(group, retryAfter);
    this.#running = this.#running.filter((other) => other !== group);
    this.#on({ type: 'finished', group, ...(site && { site }) });
  }

  #retry(group: Piece, afterMs: number): void {
    const at = this.#now + afterMs;
    this.#store(group, at, false);
    this.#on({ type: 'due', at });
  }

  #store({ site, jobCount }: Piece, dueAt: number, fresh: boolean): void {
    this.#stored.push(...Array.from({ length: jobCount }, () => ({ site, dueAt, fresh })));
  }

  #answerClaim(): void {
    if (this.#claimLimit === undefined) return;
    const due = this.#stored.filter(({ dueAt }) => dueAt <= this.#now).slice(0, this.#claimLimit);
    this.#stored = this.#stored.filter((job) => !due.includes(job));
    const all = this.#stored.map(({ dueAt }) => dueAt);
    const nextDueAt = all.length === 0 ? undefined : Math.min(...all);
    this.#claimLimit = undefined;
    this.#on({ type: 'claimed', jobCount: due.length, nextDueAt });
    this.#handOut(due);
  }

  #wait(ms: number): void {
    this.#now += ms;
    if (this.#wakeAt === undefined || this.#wakeAt > this.#now) return;
    this.#wakeAt = undefined;
    this.#on({ type: 'tick' });
  }

  #on(event: ScheduleEvent<Piece>): void {
    const { commands } = step(this.state, event, this.#now);
    this.recorded.push({ event, now: this.#now, commands: structuredClone(commands) });
    const deferred: Piece[] = [];
    for (const command of commands) {
      if (command.type === 'start') this.#start(command.group);
      else if (command.type === 'wake') this.#wakeAt = command.at;
      else if (command.type === 'putBack') this.#store(command.group, command.until, command.group.fresh);
      else if (command.type === 'defer') deferred.push(command.group);
      else {
        expect(this.#claimLimit).toBeUndefined();
        this.#claimLimit = command.limit;
      }
    }
    this.#check();
    for (const group of deferred) this.#retry(group, 5 * minute);
  }

  #start(group: Piece): void {
    // A site that is down is left alone, whatever comes for it.
    expect(this.state.sites.byName.get(group.site)?.trouble?.until ?? 0).toBeLessThanOrEqual(this.#now);
    this.#running.push(group);
    if (this.#limits.perSite(group.site).messagesPerHour === undefined) return;
    this.#hour = [...this.#hour.filter((at) => at > this.#now - 60 * minute), this.#now];
    expect(this.#hour.length).toBeLessThanOrEqual(messagesPerHour);
  }

  #check(): void {
    const { concurrency, perSite, apart, maxHeld } = this.#limits;
    const { held, sites } = this.state;
    const free = concurrency - this.#running.filter(({ site }) => !apart(site)).length;
    expect(free).toBeGreaterThanOrEqual(0);
    expect(held).toBeLessThanOrEqual(maxHeld);
    expect(sites.activeProbes).toBeLessThanOrEqual(Math.ceil(concurrency / 2));
    for (const [name, { waiting, doubted, probe, pace, limits }] of sites.byName) {
      const active = this.#running.filter(({ site }) => site === name).length;
      expect(active).toBeLessThanOrEqual(perSite(name).connections);
      // Nothing waits while there is a place for it.
      if (waiting.groups === 0 || doubted || active >= pace.allowed) continue;
      if (allowedFrom(pace, limits) > this.#now) continue; // but for the limit of the hour
      expect(apart(name)).toBe(false);
      if (probe) expect(free === 0 || 2 * sites.activeProbes >= concurrency).toBe(true);
      else expect(4 * active).toBeGreaterThanOrEqual(free);
    }
  }
}

describe('the schedule, whatever happens', () => {
  test('P7: keeps its limits, leaves no place empty, and comes to an end with everything', () => {
    fc.assert(
      fc.property(someLimits, fc.array(move, { maxLength: 80 }), (limits, moves) => {
        const model = new Model(limits);
        for (const each of moves) model.perform(each);
        expect(model.drains()).toBe(true);
        expectEmpty(model.state);
      }),
    );
  });

  test('replays a recorded run to the same commands', () => {
    fc.assert(
      fc.property(someLimits, fc.array(move, { maxLength: 40 }), (limits, moves) => {
        const model = new Model(limits);
        for (const each of moves) model.perform(each);
        const replayed = initialSchedule<Piece>(limits);
        for (const { event, now, commands } of model.recorded)
          expect(step(replayed, event, now).commands).toEqual(commands);
      }),
    );
  });
});
