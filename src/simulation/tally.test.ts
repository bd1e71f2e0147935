import { expect, test } from 'vitest';
import { Tally } from './tally.ts';

const script = {
  domain: 'a.example',
  mx: ['mx.a.example'],
  queued: 0,
  perMinute: 0,
  arrivalsMs: 0,
  senders: 1,
  latencyMs: 1,
  greylistMs: 0,
  phases: [],
};

test('Tally keeps a bounded number of samples, however long it counts, and the last is true', () => {
  const tally = new Tally(script, 'a');
  for (let second = 0; second < 100_000; second++) {
    tally.arrived(second * 1000);
    if (second % 2 === 0) tally.closed('delivered', second * 1000, second * 1000);
  }
  tally.end(100_000_000);
  expect(tally.samples.length).toBeLessThanOrEqual(602);
  expect(tally.samples.length).toBeGreaterThan(250);
  expect(tally.samples.at(-1)).toEqual({ at: 100_000_000, waiting: 50_000 });
  const half = tally.samples.find(({ at }) => at >= 50_000_000);
  expect(Math.abs((half?.waiting ?? 0) - 25_000)).toBeLessThan(200);
});

test('Tally knows the longest wait of those who left and of those who wait still', () => {
  const tally = new Tally(script, 'a');
  tally.arrived(0);
  tally.arrived(10);
  tally.closed('delivered', 10, 50);
  expect(tally.longestWaitMs).toBe(40);
  tally.end(100);
  expect(tally.longestWaitMs).toBe(100);
  expect(tally.drainedAt).toBeUndefined();
  tally.closed('gaveUp', 0, 100);
  expect(tally.drainedAt).toBe(100);
});
