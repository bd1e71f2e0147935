import { expect, test } from 'vitest';
import { sampleJob } from '../testing/store.ts';
import { tryInTime } from './deliver-by.ts';
import type { Outcome } from './outcome.ts';

const delivered: Outcome = { kind: 'delivered' };
const inTime = sampleJob('Q1', { number: 0 });
const late = sampleJob('Q1', { number: 1, requests: { deliverBy: { at: 100, mode: 'R' } } });

async function attempt(...jobs: (typeof inTime)[]) {
  const tried: number[] = [];
  const { outcomes } = await tryInTime(jobs, 100, async (asked) => {
    tried.push(...asked.map(({ number }) => number));
    return { outcomes: asked.map(() => delivered), events: [] };
  });
  return { tried, outcomes: outcomes.map(({ kind }) => kind) };
}

test('what is over is not tried, and fails; the others are, each with its own outcome', async () => {
  expect(await attempt(late, inTime, late)).toEqual({
    tried: [0],
    outcomes: ['failed', 'delivered', 'failed'],
  });
  expect(await attempt(late)).toEqual({ tried: [], outcomes: ['failed'] });
  expect(await attempt(inTime, inTime)).toEqual({ tried: [0, 0], outcomes: ['delivered', 'delivered'] });
});
