import { describe, expect, test } from 'vitest';
import { piece, places, schedule, tooFast } from '../testing/schedule-stage.ts';
import { outlookOf } from './outlook.ts';

const isIt = (name: string) => (group: { name: string }) => group.name === name;

describe('outlookOf()', () => {
  test('of a site that nothing is known of', () => {
    const { state } = schedule({ perSite: () => ({ connections: 10, start: 2 }) });
    expect(outlookOf(state, 'a', isIt('x'))).toEqual({
      site: 'a',
      limits: { connections: 10, start: 2 },
      allowed: 2,
      active: 0,
      waiting: 0,
      proven: false,
    });
    expect(state.sites.byName.size).toBe(0);
  });

  test('P7: tells how many go before a group that stands in line, as the senders take turns', () => {
    const { state, on } = schedule({ perSite: () => places(1) });
    on({ type: 'claimed', jobCount: 7, nextDueAt: undefined });
    for (const [name, sender] of [
      ['a0', 'a'],
      ['a1', 'a'],
      ['a2', 'a'],
      ['a3', 'a'],
      ['b1', 'b'],
      ['c1', 'c'],
      ['b2', 'b'],
    ] as const)
      on({ type: 'ready', group: piece(name, 'site', { sender }) });
    const ahead = ['a0', 'a1', 'b1', 'c1', 'a2', 'b2', 'a3'].map(
      (name) => outlookOf(state, 'site', isIt(name)).ahead,
    );
    expect(ahead).toEqual([undefined, 0, 1, 2, 3, 4, 5]);
    expect(outlookOf(state, 'site', isIt('b1'))).toMatchObject({ active: 1, waiting: 6 });
  });

  test('tells of trouble, of the time of an attempt and of a limit by the hour', () => {
    const { state, on } = schedule({ perSite: () => ({ ...places(1), messagesPerHour: 60 }) });
    on({ type: 'claimed', jobCount: 1, nextDueAt: undefined });
    on({ type: 'ready', group: piece('a', 'site') }, 1000);
    on({ type: 'finished', group: piece('a', 'site'), site: tooFast }, 4000);
    expect(outlookOf(state, 'site', isIt('x'))).toMatchObject({
      meanMs: 3000,
      evenAt: 61_000,
      trouble: { cause: tooFast, until: 64_000 },
    });
  });
});
