/** The arguments of `npm run bench`: pure, so that what is refused can be tested. */

import { parseArgs } from 'node:util';
import type { Bench, BenchOptions } from './bench.ts';

export interface CommandLine {
  /** At least one, in the order of the table. */
  chosen: Bench[];
  options: BenchOptions;
}

const counts = ['messages', 'size', 'sessions', 'rounds', 'seconds'] as const;

/** @throws Error with a sentence for people. */
export function parseCommandLine(args: readonly string[], benches: readonly Bench[]): CommandLine {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      peers: { type: 'string', default: 'tuned' },
      messages: { type: 'string' },
      size: { type: 'string' },
      sessions: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
    },
  });
  const { peers } = values;
  if (peers !== 'tuned' && peers !== 'all') throw new Error(`--peers is "tuned" or "all", not "${peers}"`);
  const numbers = counts.flatMap((name) => {
    const text = values[name];
    return text === undefined ? [] : [[name === 'size' ? 'sizeBytes' : name, parseCount(name, text)]];
  });
  const options = { json: values.json, peers, ...Object.fromEntries(numbers) } as const;
  return { chosen: choose(positionals, benches), options };
}

function choose(names: readonly string[], benches: readonly Bench[]): Bench[] {
  const known = [...benches.map(({ name }) => name), 'all'];
  if (names.length === 0) throw new Error(`Name a benchmark: ${known.join(', ')}`);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`"${unknown}" is no benchmark. There are: ${known.join(', ')}`);
  return benches.filter(({ name }) => names.includes(name) || names.includes('all'));
}

function parseCount(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--${name} is a whole number above 0, not "${text}"`);
  return Number(text);
}
