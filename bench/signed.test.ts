import { expect, test } from 'vitest';
import { combinedRate } from './signed.ts';

test('combinedRate() adds the times of two kinds of work for the same message', () => {
  expect(combinedRate(4000, 4000)).toBe(2000);
  expect(combinedRate(3000, 1500)).toBeCloseTo(1000);
});
