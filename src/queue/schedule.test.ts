import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Group,
  hasRoom,
  initialSchedule,
  type ScheduleCommand,
  type ScheduleEvent,
  type ScheduleLimits,
  step,
} from './schedule.ts';

interface Piece extends Group {
  name: string;
}

const roomy: ScheduleLimits = { concurrency: 100, perSite: () => 10, apart: () => false, maxHeld: 1000 };

/** A schedule, and what it commands. */
function schedule(limits: Partial<ScheduleLimits> = {}) {
  const state = initialSchedule<Piece>({ ...roomy, ...limits });
  const on = (event: ScheduleEvent<Piece>, now = 0) => step(state, event, now).commands;
  const ready = (name: string, site: string) => on({ type: 'ready', group: { name, site, jobCount: 1 } });
  return { state, on, ready };
}

const started = (commands: ScheduleCommand<Piece>[]): string[] =>
  commands.flatMap((command) => (command.type === 'start' ? [command.group.name] : []));

const nothingDue = { type: 'claimed', jobCount: 0, nextDueAt: undefined } as const;

describe('step()', () => {
  test('starts what is ready at once, up to the limit of its site and that of all', () => {
    const { on, ready } = schedule({ concurrency: 7, perSite: () => 2 });
    on({ type: 'tick' });
    on({ ...nothingDue, jobCount: 9 });
    for (const name of ['a1', 'a2', 'b1']) expect(started(ready(name, name.slice(0, 1)))).toEqual([name]);
    expect(started(ready('a3', 'a'))).toEqual([]);
    expect(started(ready('b2', 'b'))).toEqual([]); // the last places are for sites that have none
    for (const name of ['c1', 'd1', 'e1', 'f1'])
      expect(started(ready(name, name.slice(0, 1)))).toEqual([name]);
    expect(started(ready('g1', 'g'))).toEqual([]);
    const finished = on({ type: 'finished', group: { name: 'c1', site: 'c', jobCount: 1 } });
    expect(started(finished)).toEqual(['g1']);
  });

  test('P7: however many sites are slow, a further one finds a place, and local delivery needs none', () => {
    const { on, ready } = schedule({
      concurrency: 100,
      perSite: () => 20,
      apart: (site) => site === 'local',
    });
    on({ type: 'claimed', jobCount: 600, nextDueAt: undefined });
    for (let site = 0; site < 15; site++)
      for (let group = 0; group < 30; group++) ready(`${site}.${group}`, `slow ${site}`);
    expect(started(ready('x', 'another'))).toEqual(['x']);
    for (let group = 0; group < 20; group++)
      expect(started(ready(`l${group}`, 'local'))).toEqual([`l${group}`]);
    expect(started(ready('l20', 'local'))).toEqual([]);
  });

  test('P7: what a slow site may not hold goes back for a while, and leaves room for others', () => {
    const { state, on, ready } = schedule({ perSite: () => 1, maxHeld: 100 });
    const put: number[] = [];
    let left = 0;
    for (let now = 0; now < 100_000; now += 20_000)
      for (let group = 0; group < 60; group++) {
        if (!hasRoom(state, 1)) continue;
        on({ type: 'reserved', jobCount: 1 }, now);
        const [command] = on({ type: 'ready', group: { name: 'a', site: 'slow', jobCount: 1 } }, now);
        if (command?.type === 'putBack') put.push(command.until - now);
        else left++;
      }
    expect(left).toBeLessThan(50);
    expect(new Set(put)).toEqual(new Set([15_000, 30_000, 10_000, 60_000, 40_000]));
    expect(hasRoom(state, 1)).toBe(true);
    on({ type: 'reserved', jobCount: 1 });
    expect(started(ready('b', 'another'))).toEqual(['b']);
  });

  test('P7: lets sites take turns, so that a site with much mail does not hold up the others', () => {
    const { on, ready } = schedule({ concurrency: 1 });
    on({ type: 'claimed', jobCount: 7, nextDueAt: undefined });
    for (const name of ['a1', 'a2', 'a3', 'a4']) ready(name, 'a');
    for (const name of ['b1', 'b2']) ready(name, 'b');
    ready('c1', 'c');
    const order = ['a1'];
    for (const name of order) {
      const group = { name, site: name.slice(0, 1), jobCount: 1 };
      order.push(...started(on({ type: 'finished', group })));
    }
    expect(order).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
  });

  test('looks into the store when it starts, and again when something is due there', () => {
    const { on } = schedule();
    expect(on({ type: 'tick' }, 5)).toEqual([{ type: 'claim', limit: 500 }]);
    expect(on({ type: 'tick' }, 6)).toEqual([]); // one claim at a time
    expect(on({ type: 'due', at: 50 }, 7)).toEqual([]);
    expect(on({ ...nothingDue, nextDueAt: 90 }, 8)).toEqual([{ type: 'wake', at: 50 }]);
    expect(on({ type: 'due', at: 40 }, 9)).toEqual([{ type: 'wake', at: 40 }]);
    expect(on({ type: 'tick' }, 39)).toEqual([{ type: 'wake', at: 40 }]); // a timer that rang early
    expect(on({ type: 'tick' }, 40)).toEqual([{ type: 'claim', limit: 500 }]);
    expect(on({ ...nothingDue, nextDueAt: 90 }, 41)).toEqual([{ type: 'wake', at: 90 }]);
  });

  test('claims a batch at most, and of little room no more than half', () => {
    const { on } = schedule({ maxHeld: 10 });
    expect(on({ type: 'tick' })).toEqual([{ type: 'claim', limit: 5 }]);
    expect(on({ type: 'claimed', jobCount: 5, nextDueAt: 0 })).toEqual([{ type: 'claim', limit: 3 }]);
    expect(on({ type: 'claimed', jobCount: 3, nextDueAt: 0 })).toEqual([{ type: 'claim', limit: 1 }]);
    expect(on({ type: 'claimed', jobCount: 1, nextDueAt: 0 })).toEqual([{ type: 'claim', limit: 1 }]);
    expect(on({ type: 'claimed', jobCount: 1, nextDueAt: 0 })).toEqual([]);
    const group = { name: 'a', site: 'a', jobCount: 5 };
    on({ type: 'ready', group });
    expect(on({ type: 'finished', group })).toEqual([{ type: 'claim', limit: 3 }]);
  });

  test('forgets a site with its last group', () => {
    const { state, on, ready } = schedule();
    on({ type: 'claimed', jobCount: 1, nextDueAt: undefined });
    ready('a1', 'a');
    on({ type: 'finished', group: { name: 'a1', site: 'a', jobCount: 1 } });
    expect([state.sites.size, state.turns.size, state.held]).toEqual([0, 0, 0]);
  });
});

describe('hasRoom()', () => {
  test('P7: leaves room for what waits in the store: new mail never keeps old mail from its turn', () => {
    const { state, on } = schedule({ maxHeld: 2000 });
    on({ type: 'tick' });
    on({ type: 'claimed', jobCount: 0, nextDueAt: 0 });
    let held = 0;
    while (hasRoom(state, 1)) {
      on({ type: 'reserved', jobCount: 1 });
      held++;
    }
    expect(held).toBeGreaterThan(1000);
    expect(on({ type: 'due', at: 0 })).toEqual([]); // the claim is under way
    const [claim] = on({ type: 'claimed', jobCount: 0, nextDueAt: 0 });
    expect(claim).toEqual({ type: 'claim', limit: 250 });
  });

  test('counts reservations until they are cancelled', () => {
    const { state, on } = schedule({ maxHeld: 10 });
    on({ type: 'reserved', jobCount: 5 });
    expect(hasRoom(state, 1)).toBe(false);
    on({ type: 'cancelled', jobCount: 5 });
    expect(hasRoom(state, 5)).toBe(true);
  });
});

/** What a test run does next. */
type Move =
  | { kind: 'accept'; sites: string[] }
  | { kind: 'finish'; which: number; retryAfter: number | undefined }
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
  }),
  fc.constant({ kind: 'answer' } as const),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(40) }),
);

const someLimits = fc
  .record({ concurrency: fc.integer({ min: 1, max: 6 }), perSite: fc.nat(3), maxHeld: fc.nat(12) })
  .map(({ concurrency, perSite, maxHeld }) => ({
    concurrency,
    perSite: (site: string) => perSite + (site === 'a' ? 2 : 1),
    apart: (site: string) => site === 'd',
    maxHeld: maxHeld + 4, // a message has up to four jobs
  }));

/** A queue in miniature, with a store that is a list, which checks the schedule's promises after every step. */
class Model {
  readonly state;
  readonly recorded: { event: ScheduleEvent<Piece>; now: number; commands: unknown[] }[] = [];
  readonly #limits: ScheduleLimits;
  #now = 0;
  #stored: { site: string; dueAt: number }[] = [];
  #claimLimit: number | undefined;
  #wakeAt: number | undefined;
  #running: Piece[] = [];
  #count = 0;

  constructor(limits: ScheduleLimits) {
    this.#limits = limits;
    this.state = initialSchedule<Piece>(limits);
    this.#on({ type: 'tick' });
  }

  perform(move: Move): void {
    if (move.kind === 'accept') this.#accept(move.sites);
    else if (move.kind === 'finish') this.#finish(move.which, move.retryAfter);
    else if (move.kind === 'answer') this.#answerClaim();
    else this.#wait(move.ms);
  }

  /** Lets everything come to its end; false where it does not. */
  drains(): boolean {
    for (let round = 0; round < 2000; round++) {
      if (this.#running.length === 0 && this.#stored.length === 0 && this.#claimLimit === undefined)
        return true;
      this.#answerClaim();
      this.#finish(0, undefined);
      if (this.#running.length === 0) this.#wait(Math.max(0, (this.#wakeAt ?? this.#now) - this.#now));
    }
    return false;
  }

  #accept(sites: string[]): void {
    const claimed = hasRoom(this.state, sites.length);
    if (claimed) {
      this.#on({ type: 'reserved', jobCount: sites.length });
      this.#handOut(sites);
    } else {
      this.#stored.push(...sites.map((site) => ({ site, dueAt: this.#now })));
      this.#on({ type: 'due', at: this.#now });
    }
  }

  #handOut(sites: string[]): void {
    for (const [site, jobs] of Map.groupBy(sites, (site) => site))
      this.#on({ type: 'ready', group: { name: `${site}${this.#count++}`, site, jobCount: jobs.length } });
  }

  #finish(which: number, retryAfter: number | undefined): void {
    const group = this.#running[which % Math.max(1, this.#running.length)];
    if (!group) return;
    if (retryAfter !== undefined) {
      const dueAt = this.#now + retryAfter;
      this.#stored.push(...Array.from({ length: group.jobCount }, () => ({ site: group.site, dueAt })));
      this.#on({ type: 'due', at: dueAt });
    }
    this.#running = this.#running.filter((other) => other !== group);
    this.#on({ type: 'finished', group });
  }

  #answerClaim(): void {
    if (this.#claimLimit === undefined) return;
    const due = this.#stored.filter(({ dueAt }) => dueAt <= this.#now).slice(0, this.#claimLimit);
    this.#stored = this.#stored.filter((job) => !due.includes(job));
    const all = this.#stored.map(({ dueAt }) => dueAt);
    const nextDueAt = all.length === 0 ? undefined : Math.min(...all);
    this.#claimLimit = undefined;
    this.#on({ type: 'claimed', jobCount: due.length, nextDueAt });
    this.#handOut(due.map(({ site }) => site));
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
    for (const command of commands) {
      if (command.type === 'start') this.#running.push(command.group);
      else if (command.type === 'wake') this.#wakeAt = command.at;
      else if (command.type === 'putBack') this.#putBack(command.group, command.until);
      else {
        expect(this.#claimLimit).toBeUndefined();
        this.#claimLimit = command.limit;
      }
    }
    this.#check();
  }

  #putBack({ site, jobCount }: Piece, dueAt: number): void {
    this.#stored.push(...Array.from({ length: jobCount }, () => ({ site, dueAt })));
  }

  #check(): void {
    const { concurrency, perSite, apart, maxHeld } = this.#limits;
    const { held, sites } = this.state;
    const free = concurrency - this.#running.filter(({ site }) => !apart(site)).length;
    expect(free).toBeGreaterThanOrEqual(0);
    expect(held).toBeLessThanOrEqual(maxHeld);
    for (const [name, { waiting }] of sites) {
      const active = this.#running.filter(({ site }) => site === name).length;
      expect(active).toBeLessThanOrEqual(perSite(name));
      // Nothing waits while there is a place for it.
      if (waiting.length === 0 || active === perSite(name)) continue;
      expect(apart(name)).toBe(false);
      expect(4 * active).toBeGreaterThanOrEqual(free);
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
        expect([model.state.sites.size, model.state.turns.size, model.state.held]).toEqual([0, 0, 0]);
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
