import { expect, test } from 'vitest';
import { alone, playAll, type Scenario, scenario } from './runner.ts';

/** Scenarios that tell who else was on stage when they began; each waits until `waitsFor` of them were there. */
function cast() {
  const onStage = new Set<string>();
  const met: Record<string, string[]> = {};
  const begun: string[] = [];
  let look = () => {};
  const everybody = (count: number) =>
    new Promise<void>((resolve) => {
      const before = look;
      look = () => {
        before();
        if (begun.length >= count) resolve();
      };
      look();
    });
  const play =
    (name: string, waitsFor: number): Scenario['play'] =>
    async ({ step, say }) => {
      met[name] = [...onStage];
      onStage.add(name);
      begun.push(name);
      const arrived = everybody(waitsFor);
      await step(`${name} begins`, () => arrived, 2_000);
      say(`${name} is over`);
      onStage.delete(name);
    };
  return { met, begun, play };
}

test('playAll() plays so many at a time as there are lanes', async () => {
  const { met, play } = cast();
  // Neither comes to its end before the other has begun.
  const pair = ['one', 'other'].map((name) => scenario(name, play(name, 2)));
  const { passed, failed } = await playAll(pair, 2, () => {});
  expect({ passed, failed }).toEqual({ passed: 2, failed: 0 });
  // Whoever comes second meets the first.
  expect(Object.values(met).flat()).toHaveLength(1);
});

test('playAll() plays no more at a time than there are lanes', async () => {
  const { met, begun, play } = cast();
  const all = ['a', 'b', 'c', 'd'].map((name, index) => scenario(name, play(name, index < 2 ? 2 : 0)));
  await playAll(all, 2, () => {});
  // Each has a world to be made first: of two that begin together either may be there first.
  expect(begun.slice(0, 2).sort()).toEqual(['a', 'b']);
  expect(begun.slice(2).sort()).toEqual(['c', 'd']);
  for (const others of Object.values(met)) expect(others.length).toBeLessThan(2);
});

test('playAll() plays one that is to be alone when nothing else is played', async () => {
  const { met, begun, play } = cast();
  const all = [
    alone('it measures', scenario('sole', play('sole', 0))),
    scenario('a', play('a', 2)),
    scenario('b', play('b', 2)),
  ];
  await playAll(all, 2, () => {});
  expect(begun.at(-1)).toBe('sole');
  expect(met.sole).toEqual([]);
});

test('playAll() with one lane plays all in their order', async () => {
  const { met, begun, play } = cast();
  const all = [alone('it measures', scenario('sole', play('sole', 0))), scenario('a', play('a', 0))];
  await playAll(all, 1, () => {});
  expect(begun).toEqual(['sole', 'a']);
  expect(met).toEqual({ sole: [], a: [] });
});

test('playAll() prints what is played beside others whole, and counts what failed', async () => {
  const { play } = cast();
  const printed: string[] = [];
  const failing = scenario('bad', async (stage) => {
    await stage.step('it does not hold', () => Promise.reject(new Error('why')));
    await play('bad', 2)(stage);
  });
  const all = [failing, scenario('good', play('good', 2))];
  const { passed, failed, failures } = await playAll(all, 2, (text) => printed.push(text));
  expect({ passed, failed }).toEqual({ passed: 2, failed: 1 });
  expect(failures).toEqual([{ name: 'bad: it does not hold', reason: 'why' }]);
  expect(printed.length).toBe(2);
  const told = printed.find((text) => text.startsWith('\nbad'));
  expect(told).toMatch(
    /^\nbad\n {2}FAIL it does not hold .*\n {7}why\n {2}ok {3}bad begins .*\n {7}bad is over$/,
  );
});
