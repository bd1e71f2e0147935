import { expect, test } from 'vitest';
import { eachWasInFlight } from './doubts.ts';

test.each([
  ['one copy needs no kill', [100], [], true],
  ['a kill between two copies, soon after the first', [100, 5_000], [120], true],
  ['no kill between them', [100, 5_000], [6_000], false],
  ['a kill long after the first copy', [100, 5_000], [4_000], false],
  ['three copies, a kill after each but the last', [100, 2_000, 4_000], [150, 2_050], true],
  ['three copies, one kill', [100, 2_000, 4_000], [150], false],
  ['three copies that came soon, one kill', [100, 400, 700], [120], false],
  ['three copies that came soon, two kills', [100, 400, 700], [120, 410], true],
])('eachWasInFlight(): %s', (_, foundAt, killedAt, expected) => {
  expect(eachWasInFlight(foundAt, killedAt)).toBe(expected);
});
