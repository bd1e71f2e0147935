import { expect, test } from 'vitest';
import { fakeClock } from './fake-clock.ts';

test('fakeClock() does what falls due in order, each at its time', () => {
  const clock = fakeClock(0);
  const done: string[] = [];
  const note = (name: string) => () => done.push(`${name} at ${clock.now()}`);
  clock.after(20, note('late'));
  clock.after(10, note('early'));
  clock.after(10, note('second'));
  clock.after(30, note('beyond'));
  clock.after(15, note('cancelled'))();
  clock.advance(25);
  expect(done).toEqual(['early at 10', 'second at 10', 'late at 20']);
  expect(clock.now()).toBe(25);
  expect(clock.planned).toEqual([30]);
});

test('fakeClock() does what is planned on the way, if it falls due on the way', () => {
  const clock = fakeClock(0);
  const done: number[] = [];
  clock.after(10, () => clock.after(5, () => done.push(clock.now())));
  clock.advance(15);
  expect(done).toEqual([15]);
});
