import { describe, expect, test } from 'vitest';
import {
  minute,
  type Piece,
  piece,
  places,
  refused,
  schedule,
  started,
  tooFast,
} from '../testing/schedule-stage.ts';
import type { ScheduleLimits } from './schedule.ts';
import { maxKnown } from './sites.ts';

describe('step(), with sites in trouble', () => {
  const old = (name: string, site: string, changes: Partial<Piece> = {}) =>
    piece(name, site, { fresh: false, ...changes });

  /** A schedule that has claimed 900 jobs of old mail. */
  function busy(limits: Partial<ScheduleLimits> = {}) {
    const made = schedule(limits);
    made.on({ type: 'tick' });
    made.on({ type: 'claimed', jobCount: 900, nextDueAt: undefined });
    return made;
  }

  test('P7: of old mail for an unknown site one piece is tried; when it was reached, the others go too', () => {
    const { on } = busy();
    const later = { type: 'putBack', group: old('a2', 'a'), until: 30_000 };
    expect(started(on({ type: 'ready', group: old('a1', 'a') }))).toEqual(['a1']);
    expect(on({ type: 'ready', group: old('a2', 'a') })).toContainEqual(later);
    on({ type: 'ready', group: piece('new', 'a') }); // is tried as always, and keeps the site in mind
    on({ type: 'finished', group: old('a1', 'a'), site: 'reached' });
    expect(started(on({ type: 'ready', group: old('a3', 'a') }))).toEqual(['a3']);
  });

  test('P7: a site that is down is tried once in a while, for longer each time', () => {
    const { on } = busy();
    let now = 0;
    for (const minutes of [1, 2, 4, 8, 15, 15]) {
      expect(started(on({ type: 'ready', group: old('a', 'a') }, now))).toEqual(['a']);
      on({ type: 'finished', group: old('a', 'a'), site: refused }, now);
      const [again] = on({ type: 'ready', group: old('b', 'a') }, now + 1);
      expect(again).toMatchObject({ type: 'putBack', until: now + minutes * minute });
      now += minutes * minute;
    }
  });

  test('P7: when a site is found to be down, what waits for it here goes back to the store at once', () => {
    const { state, on, ready, finished } = schedule({ perSite: () => places(1) });
    on({ type: 'tick' });
    on({ type: 'claimed', jobCount: 4, nextDueAt: undefined });
    for (const name of ['a0', 'a1', 'a2']) ready(name, 'a');
    finished('a0', 'a');
    on({ type: 'ready', group: old('a3', 'a') });
    const commands = on({ type: 'finished', group: piece('a1', 'a'), site: refused });
    expect(commands).toEqual([
      { type: 'defer', group: piece('a2', 'a'), cause: refused },
      { type: 'putBack', group: old('a3', 'a'), until: minute },
      { type: 'wake', at: minute },
    ]);
    expect(state.held).toBe(0);
  });

  test('P7: new mail to a site that is down hears of it at once; what has reached its end waits no longer', () => {
    const { on } = busy();
    on({ type: 'ready', group: old('a', 'a') });
    on({ type: 'finished', group: old('a', 'a'), site: refused }, 1000);
    for (const group of [piece('new', 'a'), old('overdue', 'a', { expiresAt: 2000 })])
      expect(on({ type: 'ready', group }, 2000)).toContainEqual({ type: 'defer', group, cause: refused });
  });

  test('P7: ten thousand dead sites leave half of the places and of the room to new mail', () => {
    const { state, on, ready } = busy({ concurrency: 20, maxHeld: 1000 });
    let tried = 0;
    for (let site = 0; site < 10_000; site++) {
      on({ type: 'claimed', jobCount: 1, nextDueAt: undefined });
      tried += started(on({ type: 'ready', group: old('x', `dead ${site}`) })).length;
    }
    expect(tried).toBe(10);
    expect(state.sites.probeJobs).toBeLessThanOrEqual(501);
    for (let site = 0; site < 9; site++) expect(started(ready(`${site}`, `alive ${site}`))).toHaveLength(1);
    expect(state.sites.byName.size).toBeLessThan(520);
  });

  test('remembers so many sites, those of which it learnt last', () => {
    const { state, on } = busy();
    for (let site = 0; site < maxKnown + 10; site++) {
      const group = piece('x', `site ${site}`);
      on({ type: 'reserved', jobCount: 1 });
      on({ type: 'ready', group });
      on({ type: 'finished', group, site: site % 2 === 0 ? refused : 'reached' });
    }
    expect(state.sites.byName.size).toBe(maxKnown);
    expect(state.sites.byName.has('site 0')).toBe(false);
  });

  test('P7: a site is not down while other attempts are under way: one of them may reach it', () => {
    const { state, on, ready, finished } = schedule({ perSite: () => places(3) });
    on({ type: 'tick' });
    on({ type: 'claimed', jobCount: 4, nextDueAt: undefined });
    for (const name of ['a1', 'a2', 'a3', 'a4']) ready(name, 'a');
    const fails = (name: string) => on({ type: 'finished', group: piece(name, 'a'), site: refused });
    expect(fails('a1')).toEqual([]);
    expect(started(finished('a2', 'a'))).toEqual(['a4']);
    expect(fails('a3')).toEqual([]);
    fails('a4');
    expect(state.sites.byName.get('a')?.trouble).toMatchObject({ failures: 1, cause: refused });
  });

  test('P7: a site that was reached stays known: a second round of old mail goes without caution', () => {
    const { on } = busy();
    on({ type: 'ready', group: old('a1', 'a') });
    on({ type: 'finished', group: old('a1', 'a'), site: 'reached' });
    for (const name of ['a2', 'a3'])
      expect(started(on({ type: 'ready', group: old(name, 'a') }))).toEqual([name]);
  });

  test('retried: all sites get their probe at once', () => {
    const { on } = busy();
    on({ type: 'ready', group: old('a', 'a') });
    on({ type: 'finished', group: old('a', 'a'), site: refused });
    expect(on({ type: 'retried' }, 5000)).toMatchObject([{ type: 'claim' }]);
    expect(started(on({ type: 'ready', group: old('b', 'a') }, 5000))).toEqual(['b']);
  });

  test('a site apart is never in trouble', () => {
    const { on } = busy({ apart: (site) => site === 'local' });
    on({ type: 'ready', group: old('a', 'local') });
    on({ type: 'finished', group: old('a', 'local'), site: refused });
    expect(started(on({ type: 'ready', group: old('b', 'local') }))).toEqual(['b']);
    expect(started(on({ type: 'ready', group: old('c', 'local') }))).toEqual(['c']);
  });

  test('P7: a site begins with two places, gets more as it answers, and fewer when it refuses', () => {
    const { state, on } = busy({ perSite: () => ({ connections: 10, start: 2 }), maxHeld: 10_000 });
    const paceOf = () => state.sites.byName.get('a')?.pace.allowed;
    const running: Piece[] = [];
    const note = (commands: ReturnType<typeof on>) => {
      for (const command of commands) if (command.type === 'start') running.push(command.group);
    };
    for (let number = 0; number < 100; number++) note(on({ type: 'ready', group: piece(`${number}`, 'a') }));
    expect(running).toHaveLength(2);
    const end = (site: 'reached' | typeof tooFast) => {
      const group = running.shift();
      if (group) note(on({ type: 'finished', group, site }));
    };
    for (let answers = 0; answers < 44; answers++) end('reached');
    expect(running).toHaveLength(10);
    for (let answers = 0; answers < 10; answers++) end('reached');
    end(tooFast);
    end('reached');
    expect(paceOf()).toBe(5);
    expect(running).toHaveLength(8);
    while (running.length > 5) end('reached');
    for (const { trouble } of state.sites.byName.values()) expect(trouble).toBeUndefined();
  });

  test('P7: a site that is too busy is left alone, then asked by one; others go on', () => {
    const { on } = busy();
    on({ type: 'ready', group: piece('a', 'a') });
    on({ type: 'finished', group: piece('a', 'a'), site: tooFast }, 1000);
    const again = piece('new', 'a');
    expect(on({ type: 'ready', group: again }, 2000)).toContainEqual({
      type: 'defer',
      group: again,
      cause: tooFast,
    });
    expect(started(on({ type: 'ready', group: piece('b', 'b') }, 2000))).toEqual(['b']);
    expect(started(on({ type: 'ready', group: old('a2', 'a') }, 1000 + minute))).toEqual(['a2']);
    expect(started(on({ type: 'ready', group: old('a3', 'a') }, 1000 + minute))).toEqual([]);
    on({ type: 'finished', group: old('a2', 'a'), site: 'reached' }, 1000 + minute);
    expect(started(on({ type: 'ready', group: old('a4', 'a') }, 1000 + minute))).toEqual(['a4']);
  });

  test('P7: a time that a busy site names counts, up to an hour', () => {
    for (const [waitMs, seconds] of [
      [1, 60],
      [20 * minute, 1200],
      [1e9, 3600],
    ] as const) {
      const { on } = busy();
      on({ type: 'ready', group: old('a', 'a') });
      on({ type: 'finished', group: old('a', 'a'), site: { ...tooFast, waitMs } });
      const [command] = on({ type: 'ready', group: old('b', 'a') });
      expect(command).toMatchObject({ type: 'putBack', until: seconds * 1000 });
    }
  });

  test('knows how long an attempt takes, however many are under way', () => {
    const { state, on } = busy();
    let now = 0;
    const running: Piece[] = [];
    for (let number = 0; number < 60; number++) {
      const group = piece(`${number}`, 'a');
      running.push(group);
      on({ type: 'ready', group }, now);
      now += 100;
      if (number >= 5) on({ type: 'finished', group: running.shift() ?? group, site: 'reached' }, now);
    }
    expect(state.sites.byName.get('a')?.meanMs).toBeCloseTo(600, -2); // six at once, one ends every 100 ms
  });
});
