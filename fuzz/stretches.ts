/**
 * Stretched inputs: an input that is right, of which a piece comes over and over in its place: a whole packet, a field,
 * a record of a list. Random octets seldom are as much work as what is right, so quadratic time hides here.
 */

import { Random } from './random.ts';
import type { Target } from './targets/target.ts';

export interface Stretch {
  before: Buffer;
  piece: Buffer;
  after: Buffer;
}

/** So many of a target in a round; another seed draws others. */
const drawn = 200;
const mostSeeds = 20;
/** A piece is no longer than so many parts of the input in a row. */
const mostParts = 12;
/** An input of which more were kept around the piece would be mostly that. */
const longestBase = 32 * 1024;
const joints = Buffer.from('\n \t,;>}])\0\x1e');

/** Seeds whole, then what chance cuts from seeds and from what the grammar makes. */
export function stretchesOf(target: Target, seed: number): Stretch[] {
  const seeds = target.seeds().filter(({ length }) => length > 0 && length <= longestBase);
  const first = new Random(seed, target.name, 'stretch').below(seeds.length + 1);
  const wholes = [...seeds.slice(first), ...seeds.slice(0, first)].slice(0, mostSeeds).map(whole);
  const random = (number: number) => new Random(seed, target.name, 'stretch', number);
  const pieces = Array.from({ length: drawn }, (_, number) => draw(target, seeds, random(number)));
  return [...new Map([...wholes, ...pieces].map((stretch) => [keyOf(stretch), stretch])).values()];
}

/** About so many octets of it: the piece as often as it fits. */
export function stretched({ before, piece, after }: Stretch, bytes: number): Buffer {
  const room = Math.max(0, bytes - before.length - after.length);
  const times = Math.max(1, Math.floor(room / piece.length));
  return Buffer.concat([before, Buffer.alloc(times * piece.length, piece), after]);
}

const keyOf = ({ before, piece, after }: Stretch): string =>
  [before, piece, after].map((part) => part.toString('base64')).join(' ');

function whole(piece: Buffer): Stretch {
  return { before: Buffer.alloc(0), piece, after: Buffer.alloc(0) };
}

function draw(target: Target, seeds: readonly Buffer[], random: Random): Stretch {
  const grown = target.generate !== undefined && random.oneIn(2) ? target.generate(random) : undefined;
  const base = (grown ?? (seeds.length > 0 ? random.pick(seeds) : Buffer.of())).subarray(0, longestBase);
  if (base.length === 0) return whole(random.octets(1 + random.below(8)));
  if (grown !== undefined && random.oneIn(4)) return whole(base);
  const [start, end] = cutOut(base, random);
  return { before: base.subarray(0, start), piece: base.subarray(start, end), after: base.subarray(end) };
}

/** Mostly from one joint of the input to another: so the pieces fit together. */
function cutOut(base: Buffer, random: Random): [start: number, end: number] {
  const ends = random.oneIn(4) ? [] : endsIn(base);
  if (ends.length < 2) {
    const start = random.below(base.length);
    return [start, start + 1 + random.length(base.length - start - 1)];
  }
  const from = random.below(ends.length - 1);
  const to = Math.min(ends.length - 1, from + 1 + random.length(mostParts - 1));
  return [ends[from] ?? 0, ends[to] ?? base.length];
}

/** Where a line, an item or an element may end, and with them the two ends of the input; in order, each once. */
function endsIn(base: Buffer): number[] {
  const ends = [...base.keys()].filter((at) => joints.includes(base[at] ?? 0)).map((at) => at + 1);
  return [...new Set([0, ...ends, base.length])];
}
