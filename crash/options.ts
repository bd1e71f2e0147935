/** The command line of `npm run crash`. */

import { type Given, type Tool, UsageError } from '../tools/command-line.ts';

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

const defaultKillRounds = 200;

export type OptionName = 'json' | 'seconds' | 'seed' | 'points' | 'kill-rounds' | 'plants' | 'replay';

export const tool: Tool<OptionName> = {
  command: 'npm run crash',
  purpose:
    'Cuts the power, kills the server and makes its disk and its network fail, and looks what becomes of acknowledged mail.\n' +
    'Exit code 0 where all is well, 1 where something is wrong or nothing was looked at. Wants Linux, root and gcc, and for\n' +
    'kill and faults Debian: what is missing is installed by apt. See docs/DURABILITY.md.',
  words: {
    title: 'Parts (default: all; with --seconds all but plants)',
    synopsis: '[PART …]',
    known: [
      ['points', 'power cuts after each system call of a script'],
      ['kill', 'kill -9, again and again, under load'],
      ['faults', 'disks, descriptors, DNS, receivers and clocks that fail'],
      ['plants', 'faults planted into the source, which points must find: the test of the test'],
    ],
  },
  options: {
    seconds: {
      value: 'N',
      meaning:
        'About how long all parts may take together; each has its share. A part that comes to nothing has failed',
      otherwise: 'as long as it takes, about an hour',
      example: '--seconds 90',
    },
    seed: {
      value: 'N',
      meaning:
        'A whole number, by which the moments and what a power cut leaves are drawn; it is told in the first line',
      otherwise: 'another one each time',
      example: 'points --seed 841396',
    },
    points: {
      value: 'N',
      meaning: 'So many distinct crash points are enough',
      otherwise: 'all that there are',
      example: 'points --points 2000',
    },
    'kill-rounds': {
      value: 'N',
      meaning: 'So many kills',
      otherwise: String(defaultKillRounds),
      example: 'kill --kill-rounds 20',
    },
    plants: {
      meaning: 'The part plants too, where --seconds leaves it out',
      example: '--seconds 900 --plants',
    },
    replay: {
      value: 'FOLDER',
      meaning:
        'Goes through the recordings once more that an earlier run has kept, with its --seed, instead of new ones',
      otherwise: 'new recordings',
      example: 'points --replay /tmp/posthorn-points-x1 --seed 7',
    },
    json: {
      meaning: 'The figures as one line of JSON on standard output, all else on standard error',
      example: '--json --seconds 40',
    },
  },
};

/** `freshSeed` is used where none is given. Throws UsageError. */
export function readOptions(given: Given<OptionName>, freshSeed: number): Options {
  const unknown = given.words.find((word) => !isPart(word));
  if (unknown !== undefined) throw new UsageError(`"${unknown}" is no part. There are: ${parts.join(', ')}`);
  const seconds = given.number('seconds');
  return {
    chosen: chosenParts(given.words.filter(isPart), {
      plants: given.has('plants'),
      hurried: seconds !== undefined,
    }),
    json: given.has('json'),
    seconds,
    seed: given.whole('seed') ?? freshSeed,
    points: given.count('points') ?? Number.POSITIVE_INFINITY,
    killRounds: given.count('kill-rounds') ?? defaultKillRounds,
    replay: given.text('replay'),
  };
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
