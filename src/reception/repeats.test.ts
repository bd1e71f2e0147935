import { describe, expect, test } from 'vitest';
import { fakeClock } from '../testing/fake-clock.ts';
import { maxRepeats, Repeats, repeatKey, repeatLifeMs } from './repeats.ts';

describe('Repeats', () => {
  test('take() knows a lost answer for ten minutes', async () => {
    const clock = fakeClock();
    const repeats = new Repeats(clock);
    expect(repeats.isEmpty).toBe(true);
    repeats.remember('a', Promise.resolve('Q1'));
    clock.advance(repeatLifeMs - 1);
    expect(await repeats.take('b')).toBeUndefined();
    expect(await repeats.take('a')).toBe('Q1');
    repeats.remember('a', Promise.resolve('Q1'));
    clock.advance(repeatLifeMs);
    expect(await repeats.take('a')).toBeUndefined();
    expect(repeats.isEmpty).toBe(true);
  });

  test('take() waits for a message that is still on its way to the disk', async () => {
    const repeats = new Repeats(fakeClock());
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    repeats.remember('a', promise);
    const found = repeats.take('a');
    resolve('Q1');
    expect(await found).toBe('Q1');
  });

  test('remember() keeps a bounded number, and forgets the oldest', async () => {
    const repeats = new Repeats(fakeClock());
    for (let number = 0; number <= maxRepeats; number++) repeats.remember(`${number}`, Promise.resolve('Q'));
    expect(await repeats.take('0')).toBeUndefined();
    expect(await repeats.take('1')).toBe('Q');
  });
});

test('repeatKey() tells apart users, envelopes and octets', () => {
  const octets = Buffer.from('x');
  const keys = [
    repeatKey(['bob', 'a', ['b', 'c']], octets),
    repeatKey(['eve', 'a', ['b', 'c']], octets),
    repeatKey(['bob', 'a', ['b']], octets),
    repeatKey(['bob', 'a', ['b', 'c']], Buffer.from('y')),
  ];
  expect(new Set(keys).size).toBe(4);
  expect(repeatKey(['bob', 'a', ['b', 'c']], octets)).toBe(keys[0]);
});
