/**
 * What a power cut does to the changes that no sync covers: some land, some do not, some in part. Each whim is one way of
 * choosing; those that have found bugs in other programs are named, the rest draw lots. All follow from a seed.
 */

import { Random } from '../../../fuzz/random.ts';
import type { Change } from './image.ts';
import type { Naming } from './nodes.ts';

/** `length`: the file has its new length, but zeros where the octets should be. `torn`: some sectors landed. */
export type Fate = 'lost' | 'landed' | 'length' | 'torn';

export interface Whim {
  /** For people. */
  name: string;
  /** Whether the change of a name landed. */
  ofName(naming: Naming): boolean;
  ofChange(change: Change): Fate;
  /** Whether a sector of a torn write landed. */
  ofSector(): boolean;
}

/** `newest` is the number of the last change. */
type WhimMaker = (random: Random, newest: number) => Omit<Whim, 'name' | 'ofSector'>;

/** Among the last changes so many: of a transaction, the commit and what follows it. */
const newestFew = 8;

const makers: Readonly<Record<string, WhimMaker>> = {
  'nothing landed': () => ({ ofName: () => false, ofChange: () => 'lost' }),
  'everything landed': () => ({ ofName: () => true, ofChange: () => 'landed' }),
  'names without octets': () => ({ ofName: () => true, ofChange: () => 'lost' }),
  'names and lengths, zeros for octets': () => ({ ofName: () => true, ofChange: () => 'length' }),
  'octets without names': () => ({ ofName: () => false, ofChange: () => 'landed' }),
  'the newest alone landed': (_, newest) => ({
    ofName: ({ number }) => number === newest,
    ofChange: ({ number }) => (number === newest ? 'landed' : 'lost'),
  }),
  'the newest landed, half of the older': (random, newest) => {
    const isNew = (number: number) => number > newest - newestFew;
    const older = drawn(random, 50);
    return {
      ofName: ({ number }) => isNew(number) || random.below(100) < 50,
      ofChange: (change) => (isNew(change.number) ? 'landed' : older(change)),
    };
  },
  'all names, half of the octets torn': (random) => ({ ofName: () => true, ofChange: drawn(random, 50) }),
  'most landed': (random) => ({ ofName: () => random.below(100) < 85, ofChange: drawn(random, 85) }),
  'half landed': (random) => ({ ofName: () => random.below(100) < 50, ofChange: drawn(random, 50) }),
  'little landed': (random) => ({ ofName: () => random.below(100) < 20, ofChange: drawn(random, 20) }),
};

export const whimNames: readonly string[] = Object.keys(makers);

/** `moment` tells apart the lots of the same whim at different times. */
export function makeWhim(name: string, { seed, moment, newest }: Occasion): Whim {
  const make = makers[name];
  if (make === undefined) throw new RangeError(`No whim is called "${name}"`);
  const random = new Random(seed, name, moment);
  return { name, ...make(random, newest), ofSector: () => random.oneIn(2) };
}

export interface Occasion {
  seed: number;
  moment: number;
  /** The number of the last change. */
  newest: number;
}

/** `share` in percent. */
function drawn(random: Random, share: number): (change: Change) => Fate {
  return () => {
    if (random.below(100) < share) return 'landed';
    const lot = random.below(100);
    return lot < 40 ? 'lost' : lot < 55 ? 'length' : 'torn';
  };
}
