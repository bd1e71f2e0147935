/** The command line of `npm run fuzz`. */

import { type Given, type Tool, UsageError } from '../tools/command-line.ts';

export interface Options {
  milliseconds: number;
  /** All that is drawn follows from it. */
  seed: number;
  /** The report as one line of JSON, the last. */
  json: boolean;
  /** The names of the targets that are chosen; at least one. */
  targets: string[];
  /** One input to be judged, instead of a round. */
  input?: Buffer;
}

export type OptionName = 'minutes' | 'seed' | 'target' | 'input' | 'json';

const defaultMinutes = 1;

/** `targets` are the names of all. */
export const toolFor = (targets: readonly string[]): Tool<OptionName> => ({
  command: 'npm run fuzz',
  purpose:
    'Throws random, mutated and nearly right octets at everything that reads what strangers say. Exit code 1 where something was\n' +
    `found, which is printed as a test case. See docs/DURABILITY.md.\n\nTargets: ${targets.join(' ')}`,
  options: {
    minutes: {
      value: 'N',
      meaning: 'How long all of it takes; a part of one will do',
      otherwise: String(defaultMinutes),
      example: '--minutes 0.5',
    },
    seed: {
      value: 'N',
      meaning: 'A whole number, from which all that is drawn follows; it is told in the first line',
      otherwise: 'another one each time',
      example: '--seed 1234',
    },
    target: {
      value: 'NAME',
      meaning: 'This target alone, or all whose names begin so',
      otherwise: 'all of them',
      example: '--target dns',
    },
    input: {
      value: 'BASE64',
      meaning:
        'Judges this one input, as the last line of a finding says, instead of drawing any; wants --target',
      otherwise: 'inputs are drawn',
      example: '--target address --input QUE=',
    },
    json: { meaning: 'The report as one line of JSON too, the last one', example: '--minutes 1 --json' },
  },
});

/** `freshSeed` is used where none is given. Throws UsageError. */
export function readOptions(
  given: Given<OptionName>,
  { freshSeed, targets }: { freshSeed: number; targets: readonly string[] },
): Options {
  const input = given.text('input');
  if (input !== undefined && !given.has('target'))
    throw new UsageError('--input wants --target too: whose input it is');
  return {
    milliseconds: (given.number('minutes') ?? defaultMinutes) * 60_000,
    seed: given.whole('seed') ?? freshSeed,
    json: given.has('json'),
    targets: choose(targets, given.text('target') ?? ''),
    ...(input === undefined ? {} : { input: Buffer.from(input, 'base64') }),
  };
}

function choose(targets: readonly string[], wanted: string): string[] {
  const chosen = targets.includes(wanted) ? [wanted] : targets.filter((name) => name.startsWith(wanted));
  if (chosen.length === 0)
    throw new UsageError(`no target begins with "${wanted}". There are: ${targets.join(' ')}`);
  return chosen;
}
