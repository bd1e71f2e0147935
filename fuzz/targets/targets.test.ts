import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { judge } from '../engine.ts';
import { mutate } from '../mutate.ts';
import { Random } from '../random.ts';
import { targets } from './index.ts';

/** Of each target; a round of `npm run fuzz` looks at thousands. */
const inputs = 40;

test.each(targets.map((target) => [target.name, target] as const))(
  'nothing is found in some inputs of %s',
  async (_, target) => {
    const seeds = target.seeds();
    expect(seeds.length).toBeGreaterThan(0);
    for (let number = 0; number < inputs; number++) {
      const random = new Random(1, target.name, number);
      const input = number % 2 === 0 ? target.generate?.(random) : undefined;
      const finding = await judge(target, input ?? mutate(random.pick(seeds), random, random.pick(seeds)));
      // How long it takes is for a round to say, on a machine that does nothing else.
      if (finding?.kind !== 'slow') expect(finding).toBeUndefined();
    }
  },
);

test('every target has a name of its own', () => {
  expect(new Set(targets.map(({ name }) => name)).size).toBe(targets.length);
});

test('every target stands in docs/DURABILITY.md', () => {
  const text = readFileSync(new URL('../../docs/DURABILITY.md', import.meta.url), 'utf8');
  expect(targets.map(({ name }) => name).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});
