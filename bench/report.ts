/** A relay benchmark's result for people: medians, the range of the rounds, and the ratio of the two servers. */

import type { RelayOptions, RelayResult, RelayRound } from './relay.ts';
import { type Summary, summarize } from './statistics.ts';

interface Figure {
  label: string;
  unit: string;
  digits: number;
  of(round: RelayRound): number;
}

const figures: readonly Figure[] = [
  { label: 'accepted', unit: 'msg/s', digits: 0, of: (round) => round.acceptedPerSecond },
  { label: 'end to end', unit: 'msg/s', digits: 0, of: (round) => round.deliveredPerSecond },
  { label: 'CPU', unit: 'ms/msg', digits: 3, of: (round) => round.cpuMsPerMessage },
  { label: 'peak memory', unit: 'MiB PSS', digits: 0, of: (round) => round.peakPssBytes / 2 ** 20 },
];

export function relayReport(options: RelayOptions, { servers, limitPerSecond }: RelayResult): string {
  const { messages, sizeBytes, sessions, rounds } = options;
  const names = servers.map(({ name }) => name);
  return [
    `relay: ${messages} messages of ${sizeBytes} octets, ${sessions} sessions, ${rounds} rounds in turn; median (min–max)`,
    row('', '', [...names, `${names.join(' : ')}`]),
    ...figures.map((figure) => figureRow(figure, servers)),
    `limit of this measurement (source to sink directly): ${format(summarize(limitPerSecond), 0)} msg/s`,
    ...servers.map(({ name, description }) => `${name}: ${description}`),
  ].join('\n');
}

/** The same for programs: a summary per server, and the ratio of the medians, the first server's to the second's. */
export function relaySummary({ servers }: RelayResult) {
  return Object.fromEntries(
    figures.map(({ label, unit, of }) => {
      const summaries = servers.map(({ name, rounds }) => [name, summarize(rounds.map(of))] as const);
      return [
        label,
        { unit, ...Object.fromEntries(summaries), ratio: ratioOf(summaries.map(([, one]) => one)) },
      ];
    }),
  );
}

function ratioOf([ours, theirs]: readonly Summary[]): number | undefined {
  return ours === undefined || theirs === undefined ? undefined : ours.median / theirs.median;
}

function figureRow({ label, unit, digits, of }: Figure, servers: RelayResult['servers']): string {
  const summaries = servers.map(({ rounds }) => summarize(rounds.map(of)));
  const ratio = ratioOf(summaries)?.toFixed(2) ?? '';
  return row(label, unit, [...summaries.map((summary) => format(summary, digits)), ratio]);
}

function format({ median, min, max }: Summary, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

function row(label: string, unit: string, cells: readonly string[]): string {
  return `  ${label.padEnd(12)} ${unit.padEnd(8)} ${cells.map((cell) => cell.padEnd(24)).join('')}`.trimEnd();
}
