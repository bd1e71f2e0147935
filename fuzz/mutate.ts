/**
 * Inputs that are nearly right: a seed with bits turned, pieces cut out, doubled or taken from another seed, special
 * octets put in, runs grown and brackets nested. Knows no protocol; grammar/ makes what is right.
 */

import type { Random } from './random.ts';
import { specials } from './tokens.ts';

/** No mutated input is longer, in octets. */
export const longestInput = 64 * 1024;

type Mutation = (input: Buffer, random: Random, other: Buffer) => Buffer;

const mutations: readonly Mutation[] = [
  flipBit,
  replaceOctet,
  insertSpecial,
  insertSpecial,
  remove,
  duplicate,
  splice,
  truncate,
  growRun,
  nest,
  swapPieces,
];

/** One to eight mutations of `input`; `other` gives pieces. */
export function mutate(input: Buffer, random: Random, other: Buffer): Buffer {
  let mutated = input;
  for (let left = 1 + random.length(7); left > 0; left--)
    mutated = random.pick(mutations)(mutated, random, other);
  return mutated.subarray(0, longestInput);
}

/** Two places in order. */
function range({ length }: Buffer, random: Random, most = length): [start: number, end: number] {
  const start = random.below(length + 1);
  return [start, Math.min(length, start + random.length(most))];
}

function replace(input: Buffer, start: number, end: number, ...pieces: Buffer[]): Buffer {
  return Buffer.concat([input.subarray(0, start), ...pieces, input.subarray(end)]);
}

function flipBit(input: Buffer, random: Random): Buffer {
  const at = random.below(input.length);
  return replace(input, at, at + 1, Buffer.of((input[at] ?? 0) ^ (1 << random.below(8))));
}

function replaceOctet(input: Buffer, random: Random): Buffer {
  const at = random.below(input.length);
  return replace(input, at, at + 1, random.octets(1));
}

function insertSpecial(input: Buffer, random: Random): Buffer {
  const at = random.below(input.length + 1);
  return replace(input, at, at, random.pick(specials));
}

function remove(input: Buffer, random: Random): Buffer {
  const [start, end] = range(input, random);
  return replace(input, start, end);
}

function duplicate(input: Buffer, random: Random): Buffer {
  const [start, end] = range(input, random);
  return replace(input, start, start, input.subarray(start, end));
}

function splice(input: Buffer, random: Random, other: Buffer): Buffer {
  const [start, end] = range(input, random);
  return replace(input, start, end, other.subarray(...range(other, random)));
}

function truncate(input: Buffer, random: Random): Buffer {
  return input.subarray(0, random.below(input.length + 1));
}

/** A few octets over and over; sometimes longer than any limit of a line. */
function growRun(input: Buffer, random: Random): Buffer {
  const [start, end] = range(input, random, 8);
  const piece = end > start ? input.subarray(start, end) : random.pick(specials);
  const times = random.oneIn(8) ? random.below(16_384) : random.length(600);
  return replace(input, start, end, Buffer.alloc(Math.min(piece.length * times, longestInput), piece));
}

function nest(input: Buffer, random: Random): Buffer {
  const [open = '', close = ''] = random.pick(['()', '[]', '{}', '<>', '""']);
  const depth = random.length(200);
  const [start, end] = range(input, random, 64);
  return replace(
    input,
    start,
    end,
    Buffer.from(open.repeat(depth)),
    input.subarray(start, end),
    Buffer.from(close.repeat(depth)),
  );
}

function swapPieces(input: Buffer, random: Random): Buffer {
  const middle = random.below(input.length + 1);
  return Buffer.concat([input.subarray(middle), input.subarray(0, middle)]);
}
