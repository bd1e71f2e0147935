import { describe, expect, test } from 'vitest';
import {
  expectEmpty,
  minute,
  nothingDue,
  piece,
  places,
  schedule,
  started,
} from '../testing/schedule-stage.ts';
import { hasRoom } from './schedule.ts';

describe('step()', () => {
  test('starts what is ready at once, up to the limit of its site and that of all', () => {
    const { on, ready, finished } = schedule({ concurrency: 7, perSite: () => places(2) });
    on({ type: 'tick' });
    on({ ...nothingDue, jobCount: 9 });
    for (const name of ['a1', 'a2', 'b1']) expect(started(ready(name, name.slice(0, 1)))).toEqual([name]);
    expect(started(ready('a3', 'a'))).toEqual([]);
    expect(started(ready('b2', 'b'))).toEqual([]); // the last places are for sites that have none
    for (const name of ['c1', 'd1', 'e1', 'f1'])
      expect(started(ready(name, name.slice(0, 1)))).toEqual([name]);
    expect(started(ready('g1', 'g'))).toEqual([]);
    expect(started(finished('c1', 'c'))).toEqual(['g1']);
  });

  test('P7: however many sites are slow, a further one finds a place, and local delivery needs none', () => {
    const { on, ready } = schedule({
      concurrency: 100,
      perSite: () => places(20),
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
    const { state, on, ready } = schedule({ perSite: () => places(1), maxHeld: 100 });
    let left = 0;
    for (let group = 0; group < 300; group++) {
      if (!hasRoom(state, 1)) continue;
      on({ type: 'reserved', jobCount: 1 }, 7000);
      const [command] = on({ type: 'ready', group: piece('a', 'slow') }, 7000);
      if (command?.type === 'putBack') expect(command.until).toBe(7500);
      else left++;
    }
    expect(left).toBeLessThan(50);
    expect(hasRoom(state, 1)).toBe(true);
    on({ type: 'reserved', jobCount: 1 });
    expect(started(ready('b', 'another'))).toEqual(['b']);
  });

  test('P7: after something could not be held, the next claim waits: nothing is claimed and put back in a circle', () => {
    const { on } = schedule({ perSite: () => places(1), maxHeld: 10 });
    expect(on({ type: 'tick' }, 1000)).toMatchObject([{ type: 'claim' }]);
    on({ type: 'claimed', jobCount: 5, nextDueAt: 0 }, 1010); // claims once more
    for (let group = 0; group < 5; group++) on({ type: 'ready', group: piece('a', 'slow') }, 1010);
    expect(on({ type: 'claimed', jobCount: 0, nextDueAt: 0 }, 1020)).toEqual([{ type: 'wake', at: 1510 }]);
    expect(on({ type: 'tick' }, 1510)).toMatchObject([{ type: 'claim' }]);
  });

  test('P7: lets sites take turns, so that a site with much mail does not hold up the others', () => {
    const { on, ready, finished } = schedule({ concurrency: 1 });
    on({ type: 'claimed', jobCount: 7, nextDueAt: undefined });
    for (const name of ['a1', 'a2', 'a3', 'a4']) ready(name, 'a');
    for (const name of ['b1', 'b2']) ready(name, 'b');
    ready('c1', 'c');
    const order = ['a1'];
    for (const name of order) order.push(...started(finished(name, name.slice(0, 1))));
    expect(order).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
  });

  test('P7: lets senders take turns at a site, and keeps room for one who has not much there', () => {
    const { on, finished } = schedule({ perSite: () => places(1), maxHeld: 100 });
    on({ type: 'claimed', jobCount: 40, nextDueAt: undefined });
    const from = (sender: string, name: string) => on({ type: 'ready', group: piece(name, 'a', { sender }) });
    const commands = Array.from({ length: 38 }, (_, number) => from('bulk', `bulk ${number}`)).flat();
    expect(commands.map(({ type }) => type)).toContain('putBack');
    expect(from('person', 'letter')).toEqual([]);
    expect(started(finished('bulk 0', 'a'))).toEqual(['bulk 1']);
    expect(started(finished('bulk 1', 'a'))).toEqual(['letter']);
  });

  test('P7: keeps a site within its messages of an hour, and wakes when the next may go', () => {
    const { on, ready, finished } = schedule({ perSite: () => ({ ...places(5), messagesPerHour: 60 }) });
    on({ type: 'claimed', jobCount: 3, nextDueAt: undefined });
    expect(started(ready('a1', 'a'))).toEqual(['a1']);
    expect(ready('a2', 'a')).toEqual([{ type: 'wake', at: minute }]);
    expect(ready('b1', 'b')).toMatchObject([{ type: 'start' }]); // another site has its own
    expect(finished('a1', 'a')).toEqual([]);
    expect(on({ type: 'tick' }, minute - 1)).toEqual([{ type: 'wake', at: minute }]);
    expect(started(on({ type: 'tick' }, minute))).toEqual(['a2']);
  });

  test('P7: no line is longer than an hour, and what is at its end and finds no room is given up', () => {
    const { on, ready, finished } = schedule({
      perSite: () => ({ ...places(5), messagesPerHour: 60 }),
      maxHeld: 5000,
    });
    on({ type: 'claimed', jobCount: 100, nextDueAt: undefined });
    ready('a', 'a');
    finished('a', 'a');
    const results = Array.from({ length: 90 }, (_, number) => ready(`a${number}`, 'a'));
    const putBack = results.flat().filter(({ type }) => type === 'putBack');
    expect(putBack.length).toBeGreaterThanOrEqual(25);
    expect(putBack.length).toBeLessThan(30);
    const group = piece('overdue', 'a', { fresh: false, expiresAt: 1000 });
    expect(on({ type: 'ready', group }, 1000)).toMatchObject([
      { type: 'defer', group, cause: { kind: 'full', at: 1000, status: '4.4.7' } },
    ]);
    const other = piece('overdue elsewhere', 'b', { fresh: false, expiresAt: 1000 });
    expect(started(on({ type: 'ready', group: other }, 1000))).toEqual(['overdue elsewhere']);
  });

  test('P7: counts how long an attempt takes: the line of a slow site is short', () => {
    const { on, ready } = schedule({ perSite: () => places(1), maxHeld: 5000 });
    on({ type: 'claimed', jobCount: 100, nextDueAt: undefined });
    ready('a0', 'a');
    ready('a1', 'a');
    on({ type: 'finished', group: piece('a0', 'a'), site: 'reached' }, 10 * minute);
    const waiting = Array.from({ length: 20 }, (_, number) =>
      on({ type: 'ready', group: piece(`b${number}`, 'a') }, 10 * minute),
    );
    expect(waiting.filter((commands) => commands.length === 0)).toHaveLength(7);
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
    const group = piece('a', 'a', { jobCount: 5 });
    on({ type: 'ready', group });
    expect(on({ type: 'finished', group })).toEqual([{ type: 'claim', limit: 3 }]);
  });

  test('keeps nothing of what is done', () => {
    const { state, on, ready, finished } = schedule();
    on({ type: 'claimed', jobCount: 1, nextDueAt: undefined });
    ready('a1', 'a');
    finished('a1', 'a');
    expectEmpty(state);
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
