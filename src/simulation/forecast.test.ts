import { describe, expect, test } from 'vitest';
import type { SiteOutlook } from '../queue/outlook.ts';
import { refused, tooFast } from '../testing/schedule-stage.ts';
import { type ForecastRequest, forecast } from './forecast.ts';

const minute = 60_000;
const now = Date.UTC(2026, 0, 5, 12);

const outlook: SiteOutlook = {
  site: '10 mx.example.net:25',
  limits: { connections: 10, start: 2 },
  allowed: 2,
  active: 0,
  waiting: 0,
  meanMs: 1000,
  proven: true,
};

/** In minutes from now. */
function minutesFor(changes: Partial<SiteOutlook>, request: Partial<ForecastRequest> = {}): number {
  const basis = {
    now,
    destination: 'example.net',
    nextAttemptAt: now,
    ahead: 0,
    behind: 0,
    concurrency: 200,
  };
  const at = forecast({ ...basis, outlook: { ...outlook, ...changes }, ...request });
  return ((at ?? Number.NaN) - now) / minute;
}

describe('forecast()', () => {
  test('P7: of a message whose time has come, and one whose time comes', () => {
    expect(minutesFor({})).toBeLessThan(0.1);
    expect(minutesFor({}, { nextAttemptAt: now + 7 * minute })).toBeCloseTo(7, 1);
  });

  test.each([
    ['is down', refused],
    ['asked us to slow down', tooFast],
  ])('P7: where the site %s, waits for its probe', (_, cause) => {
    const trouble = { cause, until: now + 4 * minute };
    expect(minutesFor({ trouble, proven: false })).toBeCloseTo(4, 1);
    const behind = minutesFor({ trouble, proven: false }, { ahead: 120 });
    expect(behind).toBeGreaterThan(4.1);
    expect(behind).toBeLessThan(7);
  });

  test('P7: counts those before it at the pace of the site', () => {
    const others = { ahead: 1500, behind: 1500 };
    const fast = minutesFor({ allowed: 10, limits: { connections: 10, start: 2 } }, others);
    const slow = minutesFor({ allowed: 1, limits: { connections: 1, start: 1 } }, others);
    expect(fast).toBeGreaterThan(4);
    expect(fast).toBeLessThan(8);
    expect(slow).toBeGreaterThan(25); // all of them take 50
    expect(slow).toBeLessThan(50);
  });

  test('P7: what has become due last waits no longer than what has waited longest', () => {
    const one = { allowed: 1, limits: { connections: 1, start: 1 } };
    expect(minutesFor(one, { ahead: 3000 })).toBeLessThan(1);
    expect(minutesFor(one, { behind: 3000 })).toBeLessThan(1);
  });

  test('counts those before it in line, where it stands there already', () => {
    expect(
      minutesFor({ allowed: 1, limits: { connections: 1, start: 1 }, waiting: 500, ahead: 59 }),
    ).toBeCloseTo(1, 0);
  });

  test('P7: keeps to the limit by the hour', () => {
    const limits = { connections: 10, start: 10, messagesPerHour: 60 };
    expect(minutesFor({ limits, allowed: 10, evenAt: now + minute, waiting: 29 })).toBeCloseTo(30, 0);
  });

  test('of very many counts the rest from those that were played', () => {
    const limits = { connections: 1, start: 1 };
    const [some, more] = [20_000, 80_000].map((ahead) => minutesFor({ limits, allowed: 1 }, { ahead }));
    expect((more ?? 0) / (some ?? 1)).toBeCloseTo(4, 1);
  });
});
