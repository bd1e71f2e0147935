/** What a contest came to: a row for each peer, for programs, and a table for people. The first server is ours. */

import type { BenchRow } from './bench.ts';
import type { Played, Round } from './contest.ts';
import { showSummary, summarize } from './statistics.ts';
import { formatTable } from './table.ts';
import { brief } from './targets.ts';

interface Figure {
  title: string;
  digits: number;
  of(round: Round): number;
}

const delivered: Figure = { title: 'delivered/s', digits: 0, of: (round) => round.deliveredPerSecond };
const cpu: Figure = { title: 'CPU ms/msg', digits: 3, of: (round) => round.cpuMsPerMessage };
const memory: Figure = { title: 'peak PSS MiB', digits: 0, of: (round) => round.peakPssBytes / 2 ** 20 };
const accepted: Figure = { title: 'accepted/s', digits: 0, of: (round) => round.acceptedPerSecond };

const medianOf = ({ rounds }: Played, figure: Figure): number => summarize(rounds.map(figure.of)).median;

/** Messages per second until the last one has arrived. */
export const deliveredRate = (played: Played): number => medianOf(played, delivered);

export const cpuPerMessage = (played: Played): number => medianOf(played, cpu);

/** MiB, of all rounds. */
export const highestMemory = ({ rounds }: Played): number => Math.max(...rounds.map(memory.of));

/** One for each peer; the unit is that of the table. */
export function rateRows(bench: string, sizeBytes: number, [ours, ...peers]: readonly Played[]): BenchRow[] {
  if (ours === undefined) return [];
  return peers.map((peer) => {
    const [our, their] = [deliveredRate(ours), deliveredRate(peer)];
    return { bench, peer: peer.name, sizeBytes, unit: 'msg/s', ours: our, theirs: their, ratio: our / their };
  });
}

/** `title`, then a line for each server; `limit` is what the load generator reaches without any. */
export function contestTable(title: string, played: readonly Played[], limit?: Played): string {
  const [ours] = played;
  const lines = [...played, ...(limit === undefined ? [] : [limit])].map((each) => [
    each.name,
    ...[accepted, delivered, cpu, memory].map((figure) =>
      showSummary(summarize(each.rounds.map(figure.of)), figure.digits),
    ),
    ours === undefined || each === ours ? '' : brief(deliveredRate(ours) / deliveredRate(each)),
  ]);
  const titles = ['', ...[accepted, delivered, cpu, memory].map((figure) => figure.title), 'ours : it'];
  const rounds = ours?.rounds.length ?? 0;
  return `${title}; ${rounds} rounds in turn: median (min–max)\n${formatTable(titles, lines)}`;
}

/** Version and settings of each server. */
export const descriptions = (played: readonly Played[]): string =>
  played.map(({ name, description }) => `  ${name}: ${description}`).join('\n');
