import { describe, expect, test } from 'vitest';
import type { Session } from '../../smtp/client-session.ts';
import { fakeClock } from '../../testing/fake-clock.ts';
import { Flaws, flawLifetimeMs, maxFlawedHosts } from './flaws.ts';

const endpoint = (number: number) => ({ host: `mx${number}.example.net`, address: '192.0.2.1', port: 25 });

/** What is left of what it offers. */
function offers(flaws: Flaws, number: number): string[] {
  const extensions = new Map([
    ['PIPELINING', ''],
    ['CHUNKING', ''],
    ['SIZE', '1000'],
  ]);
  // Nothing else of a session is looked at.
  const session = { extensions } as Pick<Session, 'extensions'> as Session;
  flaws.strip(endpoint(number), session);
  return [...session.extensions.keys()];
}

describe('Flaws', () => {
  test('takes from a session what its receiver does not do, for a day', () => {
    const clock = fakeClock();
    const flaws = new Flaws(clock);
    expect(offers(flaws, 1)).toEqual(['PIPELINING', 'CHUNKING', 'SIZE']);
    flaws.note(endpoint(1), 'PIPELINING');
    expect(offers(flaws, 1)).toEqual(['CHUNKING', 'SIZE']);
    flaws.note(endpoint(1), 'CHUNKING');
    expect(offers(flaws, 1)).toEqual(['SIZE']);
    expect(offers(flaws, 2)).toEqual(['PIPELINING', 'CHUNKING', 'SIZE']);
    clock.advance(flawLifetimeMs);
    expect(offers(flaws, 1)).toEqual(['PIPELINING', 'CHUNKING', 'SIZE']);
  });

  test('knows so many hosts, and forgets the first', () => {
    const flaws = new Flaws(fakeClock());
    for (let number = 0; number <= maxFlawedHosts; number++) flaws.note(endpoint(number), 'PIPELINING');
    expect(offers(flaws, 0)).toContain('PIPELINING');
    expect(offers(flaws, 1)).not.toContain('PIPELINING');
    expect(offers(flaws, maxFlawedHosts)).not.toContain('PIPELINING');
  });
});
