/** The arguments of `npm run bench`: pure, so that what is refused can be tested. */

import { type Given, type Tool, UsageError } from '../tools/command-line.ts';
import type { Bench, BenchOptions } from './bench.ts';

export interface CommandLine {
  /** At least one, in the order of the table. */
  chosen: Bench[];
  options: BenchOptions;
}

const counts = ['messages', 'size', 'sessions', 'rounds', 'seconds'] as const;

export type OptionName = 'json' | 'peers' | (typeof counts)[number];

const asItNeeds = 'what the benchmark needs to mean something';

export const toolFor = (benches: readonly Bench[]): Tool<OptionName> => ({
  command: 'npm run bench',
  purpose:
    'Measures, and compares with other servers and with what is asked of us. Wants root and Debian, and a machine that does\n' +
    'nothing else meanwhile. Exit code 1 where a benchmark came to nothing. See docs/PERFORMANCE.md.',
  words: {
    title: 'Benchmarks (one at least)',
    synopsis: 'NAME … | all',
    known: benches.map(({ name, description }) => [name, description] as const),
  },
  options: {
    peers: {
      value: 'tuned|all',
      meaning: 'Against tuned Postfix only, or every server that can be had',
      otherwise: 'tuned',
      example: 'relay --peers all',
    },
    messages: {
      value: 'N',
      meaning: 'Messages in a round, or in the queue',
      otherwise: asItNeeds,
      example: 'relay --messages 5000',
    },
    size: {
      value: 'OCTETS',
      meaning: "A message's size",
      otherwise: 'the sizes that we have targets for',
      example: 'relay --size 1024',
    },
    sessions: {
      value: 'N',
      meaning: 'Connections at once',
      otherwise: asItNeeds,
      example: 'connections --sessions 1000',
    },
    rounds: {
      value: 'N',
      meaning: 'Rounds, of which the median counts',
      otherwise: asItNeeds,
      example: 'local --rounds 3',
    },
    seconds: {
      value: 'N',
      meaning: 'How long it may go on, where a benchmark measures for a time',
      otherwise: asItNeeds,
      example: 'latency --seconds 60',
    },
    json: {
      meaning: 'An array of rows on standard output, all else on standard error',
      example: 'relay --json',
    },
  },
});

/** Throws UsageError. */
export function parseCommandLine(given: Given<OptionName>, benches: readonly Bench[]): CommandLine {
  const peers = given.text('peers') ?? 'tuned';
  if (peers !== 'tuned' && peers !== 'all')
    throw new UsageError(`--peers is "tuned" or "all", not "${peers}"`);
  const numbers = counts.flatMap((name) => {
    const count = given.count(name);
    return count === undefined ? [] : [[name === 'size' ? 'sizeBytes' : name, count]];
  });
  const options = { json: given.has('json'), peers, ...Object.fromEntries(numbers) } as const;
  return { chosen: choose(given.words, benches), options };
}

function choose(names: readonly string[], benches: readonly Bench[]): Bench[] {
  const known = [...benches.map(({ name }) => name), 'all'];
  if (names.length === 0) throw new UsageError(`name a benchmark: ${known.join(', ')}`);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new UsageError(`"${unknown}" is no benchmark. There are: ${known.join(', ')}`);
  return benches.filter(({ name }) => names.includes(name) || names.includes('all'));
}
