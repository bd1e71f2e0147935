import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allowedFrom, grow, newPace, restart, shrink, spend, timeFor } from './pace.ts';

const limits = { connections: 10, start: 2 };
const hour = 3600_000;

describe('the places of a site', () => {
  test('P7: grow by one with each round of answers, up to the cap', () => {
    const pace = newPace(limits);
    const allowed: number[] = [];
    for (let answers = 1; answers <= 60; answers++) {
      grow(pace, limits, true);
      allowed.push(pace.allowed);
    }
    expect([1, 2, 5, 9, 44, 60].map((answers) => allowed[answers - 1])).toEqual([2, 3, 4, 5, 10, 10]);
  });

  test('do not grow where they are not used: that says nothing of more', () => {
    const pace = newPace(limits);
    for (let answers = 0; answers < 100; answers++) grow(pace, limits, false);
    expect(pace.allowed).toBe(2);
  });

  test('P7: are halved by a refusal, once for all that began before it, and never fall below one', () => {
    const pace = { ...newPace(limits), allowed: 10, answered: 10 };
    shrink(pace, 9);
    for (let echo = 0; echo < 9; echo++) shrink(pace, 8 - echo);
    expect(pace.allowed).toBe(5);
    for (let round = 0; round < 5; round++) shrink(pace, 0);
    expect(pace.allowed).toBe(1);
  });

  test('P7: a place that was new, and was refused, is tried again after longer each time', () => {
    const pace = { ...newPace(limits), allowed: 3 };
    const waits: number[] = [];
    for (let refusals = 0; refusals < 9; refusals++) {
      let answers = 0;
      for (; pace.allowed < 4; answers++) grow(pace, limits, true);
      waits.push(answers);
      shrink(pace, 3);
      for (let echo = 0; echo < 3; echo++) grow(pace, limits, false);
      expect(pace.allowed).toBe(3);
    }
    expect(waits).toEqual([3, 24, 48, 96, 192, 384, 768, 1536, 1536]);
  });

  test('a place that was refused, and is taken now, is forgotten', () => {
    const pace = { ...newPace(limits), allowed: 4 };
    shrink(pace, 0);
    for (let answers = 0; answers < 24 + 4; answers++) grow(pace, limits, true);
    expect(pace).toMatchObject({ allowed: 5, ceiling: Number.POSITIVE_INFINITY, patience: 1 });
  });

  test('after trouble are those of the beginning, or fewer', () => {
    const pace = { ...newPace(limits), allowed: 8, answered: 8 };
    restart(pace, limits);
    expect(pace.allowed).toBe(2);
    shrink(pace, 0);
    restart(pace, limits);
    expect(pace.allowed).toBe(1);
  });

  test('of a cap below the beginning are the cap', () => {
    expect(newPace({ connections: 1, start: 2 }).allowed).toBe(1);
  });
});

describe('the limit by the hour', () => {
  test('lets ten seconds of it go at once, and the rest come evenly', () => {
    const hourly = { ...limits, messagesPerHour: 3600 };
    const pace = newPace(hourly);
    let now = 0;
    const starts: number[] = [];
    while (starts.length < 15) {
      now = Math.max(now, allowedFrom(pace, hourly));
      spend(pace, hourly, now);
      starts.push(now);
    }
    expect(starts.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 0));
    expect(starts[10]).toBeCloseTo(hour / 3591);
    expect((starts[14] ?? 0) - (starts[13] ?? 0)).toBeCloseTo(hour / 3591);
  });

  test('P7: is kept in every hour, whenever messages come', () => {
    const waits = fc.array(fc.oneof(fc.nat(50), fc.nat(hour)), { maxLength: 300 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), waits, (messagesPerHour, comings) => {
        const hourly = { ...limits, messagesPerHour };
        const pace = newPace(hourly);
        let now = 0;
        const starts: number[] = [];
        for (const wait of comings) {
          now = Math.max(now + wait, Math.ceil(allowedFrom(pace, hourly)));
          spend(pace, hourly, now);
          starts.push(now);
        }
        for (const [index, start] of starts.entries()) {
          const next = starts[index + messagesPerHour];
          if (next !== undefined) expect(next - start).toBeGreaterThanOrEqual(hour - 1);
        }
      }),
    );
  });

  test('without it nothing waits', () => {
    expect(allowedFrom(newPace(limits), limits)).toBe(Number.NEGATIVE_INFINITY);
    expect(timeFor(limits, 1000)).toBe(0);
    expect(timeFor({ ...limits, messagesPerHour: 30 }, 30)).toBe(hour);
  });
});
