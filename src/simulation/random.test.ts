import { expect, test } from 'vitest';
import { seededRandom } from './random.ts';

test('seededRandom() gives the same numbers for a seed, others for another, spread over [0, 1)', () => {
  const of = (seed: number) => {
    const random = seededRandom(seed);
    return Array.from({ length: 10_000 }, () => random());
  };
  expect(of(7)).toEqual(of(7));
  expect(of(8)).not.toEqual(of(7));
  const tenths = new Array(10).fill(0);
  for (const number of of(7)) tenths[Math.floor(number * 10)]++;
  for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThan(150);
});
