/** The command line of `npm run fuzz`. */

import { parseArgs } from 'node:util';

export interface Options {
  milliseconds: number;
  /** All that is drawn follows from it. */
  seed: number;
  /** The report as one line of JSON, the last. */
  json: boolean;
  /** Name of the only target, or a prefix of several. */
  target?: string;
  /** One input to be judged, instead of a round. */
  input?: Buffer;
}

export const usage =
  'usage: npm run fuzz -- [--minutes N] [--seed S] [--target NAME [--input BASE64]] [--json]';

/** Undefined where the arguments make no sense. `freshSeed` is used where none is given. */
export function readOptions(args: readonly string[], freshSeed: number): Options | undefined {
  const values = readArguments(args);
  const minutes = Number(values?.minutes);
  const seed = values?.seed === undefined ? freshSeed : Number(values.seed);
  if (values === undefined || !(minutes > 0) || !Number.isSafeInteger(seed)) return undefined;
  const { json, target, input } = values;
  if (input !== undefined && target === undefined) return undefined;
  return {
    milliseconds: minutes * 60_000,
    seed,
    json,
    ...(target === undefined ? {} : { target }),
    ...(input === undefined ? {} : { input: Buffer.from(input, 'base64') }),
  };
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string', default: '1' },
        seed: { type: 'string' },
        json: { type: 'boolean', default: false },
        target: { type: 'string' },
        input: { type: 'string' },
      },
    }).values;
  } catch (error) {
    if (error instanceof TypeError) return undefined; // an option that there is not
    throw error;
  }
}
