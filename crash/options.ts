/** The command line of `npm run crash`. */

import { parseArgs } from 'node:util';

export const parts = ['points', 'kill', 'faults', 'plants'] as const;

export type Part = (typeof parts)[number];

export interface Options {
  chosen: ReadonlySet<Part>;
  /** The last line is one of JSON, and alone on standard output. */
  json: boolean;
  /** How long all of it may take; without it, everything is done however long it takes. */
  seconds: number | undefined;
  seed: number;
  /** So many distinct crash points are enough. */
  points: number;
  killRounds: number;
  /** A folder of recordings to go through once more, instead of new ones. */
  replay: string | undefined;
}

export const usage = `usage: npm run crash -- [${parts.join('|')}] … [--json] [--seconds N] [--seed N] [--points N]
         [--kill-rounds N] [--plants] [--replay FOLDER]`;

const defaultKillRounds = 200;

/** Undefined where the arguments make no sense. `freshSeed` is used where none is given. */
export function readOptions(args: readonly string[], freshSeed: number): Options | undefined {
  const read = readArguments(args);
  if (read === undefined) return undefined;
  const { values, positionals } = read;
  const named = positionals.filter(isPart);
  const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
  const options = {
    chosen: chosenParts(named, { plants: values.plants, hurried: seconds !== undefined }),
    json: values.json,
    seconds,
    seed: Number(values.seed ?? freshSeed),
    points: Number(values.points ?? Number.POSITIVE_INFINITY),
    killRounds: Number(values['kill-rounds'] ?? defaultKillRounds),
    replay: values.replay,
  };
  const numbers = [options.seconds ?? 1, options.points, options.killRounds];
  const makesSense = named.length === positionals.length && Number.isSafeInteger(options.seed);
  return makesSense && numbers.every((number) => number > 0) ? options : undefined;
}

/** All of them where none is named; but who is in a hurry does not want the test tested, unless he says so. */
function chosenParts(
  named: readonly Part[],
  { plants, hurried }: { plants: boolean; hurried: boolean },
): Set<Part> {
  const chosen = new Set(named.length > 0 ? named : parts.filter((part) => part !== 'plants' || !hurried));
  if (plants) chosen.add('plants');
  return chosen;
}

const isPart = (text: string): text is Part => parts.some((part) => part === text);

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        plants: { type: 'boolean', default: false },
        seconds: { type: 'string' },
        seed: { type: 'string' },
        points: { type: 'string' },
        'kill-rounds': { type: 'string' },
        replay: { type: 'string' },
      },
    });
  } catch (error) {
    if (error instanceof TypeError) return undefined; // an option that there is not
    throw error;
  }
}
