import { expect, test } from 'vitest';
import { findRings } from './check-rings.ts';

const file = (path: string, ...targets: string[]) => ({
  path,
  text: targets.map((target) => `import ${target};`).join('\n'),
});

test('findRings() names the files of a ring in their order, types and re-exports too', () => {
  const files = [
    file('a/start.ts', "{ x } from './one.ts'"),
    file('a/one.ts', "type { X } from '../b/two.ts'"),
    { path: 'b/two.ts', text: "export { y } from './three.ts';" },
    file('b/three.ts', "{ z } from '../a/one.ts'"),
  ];
  expect(findRings(files)).toEqual([['a/one.ts', 'b/two.ts', 'b/three.ts']]);
});

test('findRings() has nothing against two ways to one file, nor against what is loaded later', () => {
  const files = [
    file('top.ts', "{ x } from './left.ts'", "{ y } from './right.ts'"),
    file('left.ts', "type { Z } from './bottom.ts'"),
    file('right.ts', "{ z } from './bottom.ts'"),
    { path: 'bottom.ts', text: "const { top } = await import('./top.ts');" },
  ];
  expect(findRings(files)).toEqual([]);
});
