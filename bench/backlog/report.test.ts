import { expect, test } from 'vitest';
import type { Played } from '../contest.ts';
import { type BacklogResult, backlogReport } from './report.ts';

const mib = 2 ** 20;
const memory = (rss: number) => ({ rssBytes: rss * mib, pssBytes: (rss / 2) * mib });
const played = (name: string, deliveredPerSecond: number): Played => ({
  name,
  description: '',
  rounds: [{ acceptedPerSecond: 1, deliveredPerSecond, cpuMsPerMessage: 1, peakPssBytes: 1 }],
});

const result: BacklogResult = {
  jobs: 1000,
  destinations: 10,
  buildMs: 1000,
  startMs: [2000, 1000, 9000],
  idle: memory(100),
  listing: { operationMs: [5, 120, 300], commandMs: [400] },
  waiting: [played('backlog', 90), played('empty queue', 100)],
  coming: [played('backlog coming due', 70), played('empty queue', 100)],
  dueJobs: 100,
  peaks: [memory(310), memory(200)],
  dropped: { dropMs: 1, shrinkMs: 1, bytesBefore: 10 * mib, bytesAfter: mib, peak: memory(1) },
};

test('backlogReport() holds median times and the highest memory against what is asked', () => {
  const { targets } = backlogReport(result);
  expect(targets?.map(({ measured, met }) => [measured, met])).toEqual([
    ['2 s', true],
    ['100 MiB', true],
    ['310 MiB', false],
    ['120 ms', false],
    ['0.9 ×', true],
    ['0.7 ×', false],
  ]);
});

test('backlogReport() has a row for each contest', () => {
  expect(backlogReport(result).rows.map(({ peer, ours, theirs }) => [peer, ours, theirs])).toEqual([
    ['empty queue', 90, 100],
    ['empty queue, none coming due', 70, 100],
  ]);
});
