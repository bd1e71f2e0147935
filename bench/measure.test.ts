import { expect, test } from 'vitest';
import { treeCpuMs, treePssBytes, withPeakPss } from './measure.ts';

test('treeCpuMs() counts what a process has used, and nothing for one that is gone', () => {
  const until = performance.now() + 40;
  const before = treeCpuMs(process.pid);
  while (performance.now() < until);
  expect(treeCpuMs(process.pid)).toBeGreaterThan(before);
  expect(treeCpuMs(2 ** 30)).toBe(0);
});

test('withPeakPss() gives back what the action gives, and a plausible size', async () => {
  const { result, peakBytes } = await withPeakPss(process.pid, async () => 'done');
  expect(result).toBe('done');
  expect(peakBytes).toBeGreaterThan(2 ** 20);
  expect(treePssBytes(2 ** 30)).toBe(0);
});
