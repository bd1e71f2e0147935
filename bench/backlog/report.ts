/** What the backlog benchmark found, beside what is asked of it. Pure. */

import type { BenchReport, BenchRow, Target } from '../bench.ts';
import { contestTable, deliveredRate } from '../comparison.ts';
import type { Played } from '../contest.ts';
import type { Memory } from '../memory.ts';
import { showSummary, summarize } from '../statistics.ts';
import { atLeast, atMost } from '../targets.ts';
import type { Dropped } from './drop.ts';
import type { Listing } from './listing.ts';

export interface BacklogResult {
  jobs: number;
  destinations: number;
  buildMs: number;
  startMs: readonly number[];
  idle: Memory;
  listing: Listing;
  /** Fresh mail beside the backlog and on an empty queue, first while nothing of it is due. */
  waiting: [ours: Played, theirs: Played];
  coming: [ours: Played, theirs: Played];
  /** Jobs that came due meanwhile. */
  dueJobs: number;
  /** While fresh mail flowed, in either contest. */
  peaks: readonly Memory[];
  dropped: Dropped;
}

const mib = 2 ** 20;
const bench = 'backlog';
const sizeBytes = 1024;

export function backlogReport(result: BacklogResult): BenchReport {
  return { rows: rowsOf(result), text: textOf(result), targets: targetsOf(result) };
}

const medianOf = (values: readonly number[]): number => summarize(values).median;

const shareOf = ([ours, theirs]: [ours: Played, theirs: Played]): number =>
  deliveredRate(ours) / deliveredRate(theirs);

const highest = (all: readonly Memory[]): Memory => ({
  rssBytes: Math.max(...all.map(({ rssBytes }) => rssBytes)),
  pssBytes: Math.max(...all.map(({ pssBytes }) => pssBytes)),
});

function rowsOf({ waiting, coming }: BacklogResult): BenchRow[] {
  return [waiting, coming].map(([ours, theirs]) => ({
    bench,
    peer: ours.name === bench ? theirs.name : `${theirs.name}, none coming due`,
    sizeBytes,
    unit: 'msg/s',
    ours: deliveredRate(ours),
    theirs: deliveredRate(theirs),
    ratio: shareOf([ours, theirs]),
  }));
}

function targetsOf({ startMs, idle, peaks, listing, waiting, coming, dueJobs }: BacklogResult): Target[] {
  const peak = highest(peaks);
  const share = { must: 0.8, aim: 1, unit: ' ×' };
  return [
    atMost('backlog: start', medianOf(startMs) / 1000, { must: 3, unit: ' s' }),
    atMost('backlog: RSS idle', idle.rssBytes / mib, { must: 300, unit: ' MiB' }),
    atMost('backlog: RSS while fresh mail flows', peak.rssBytes / mib, { must: 300, unit: ' MiB' }),
    atMost('backlog: first page of the queue', medianOf(listing.operationMs), { must: 100, unit: ' ms' }),
    atLeast('backlog: fresh mail, of empty queue', shareOf(waiting), share),
    atLeast(`backlog: fresh mail while ${dueJobs} come due, of empty queue`, shareOf(coming), share),
  ];
}

function textOf(result: BacklogResult): string {
  const { jobs, destinations, buildMs, startMs, idle, peaks, listing, waiting, coming, dueJobs, dropped } =
    result;
  const seconds = (ms: number, digits = 0) => `${(ms / 1000).toFixed(digits)} s`;
  const inMib = (bytes: number) => `${(bytes / mib).toFixed(0)} MiB`;
  const memory = ({ rssBytes, pssBytes }: Memory) => `RSS ${inMib(rssBytes)}, PSS ${inMib(pssBytes)}`;
  return [
    `backlog: ${jobs} deferred messages to ${destinations} destinations, built in ${seconds(buildMs)}`,
    `  start: ${showSummary(summarize(startMs))} ms, files in the system's cache`,
    `  memory: idle ${memory(idle)}; at most ${memory(highest(peaks))} while fresh mail flows, ${memory(dropped.peak)} while all is dropped`,
    `  first page: ${showSummary(summarize(listing.operationMs), 1)} ms over the control socket, ${showSummary(summarize(listing.commandMs))} ms the whole command`,
    contestTable('  fresh mail, nothing of the backlog due', waiting),
    contestTable(`  fresh mail while ${dueJobs} of the backlog come due, to sites that refuse`, coming),
    `  dropped in ${seconds(dropped.dropMs)}; the data directory went from ${inMib(dropped.bytesBefore)} to ${inMib(dropped.bytesAfter)} in ${seconds(dropped.shrinkMs)} more`,
    '  (what is left is mostly the dossiers of what was dropped, kept for 30 days or 1 GiB)',
  ].join('\n');
}
