import { expect, test } from 'vitest';
import { fakeClock } from '../../testing/fake-clock.ts';
import { rememberedMs, remembering } from './check-look-ups.ts';

test('remembering() asks once for all who want to know at the same time, and again when a minute is over', async () => {
  const clock = fakeClock();
  const asked: string[] = [];
  const find = remembering(
    { clock },
    async (name) => asked.push(name),
    () => true,
  );
  await Promise.all([find('a'), find('a'), find('b')]);
  await find('a');
  expect(asked).toEqual(['a', 'b']);
  clock.advance(rememberedMs);
  await find('a');
  expect(asked).toEqual(['a', 'b', 'a']);
});

test('remembering() does not remember what was not found out, nor an error', async () => {
  const answers = ['unknown', new Error('a bug'), 'known', 'other'];
  const find = remembering(
    { clock: fakeClock() },
    async () => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    (answer) => answer !== 'unknown',
  );
  expect(await find('a')).toBe('unknown');
  await expect(find('a')).rejects.toThrow('a bug');
  expect(await find('a')).toBe('known');
  expect(await find('a')).toBe('known');
});

test('remembering() keeps no more than a thousand names', async () => {
  let count = 0;
  const find = remembering(
    { clock: fakeClock() },
    async () => ++count,
    () => true,
  );
  for (let index = 0; index < 1001; index++) await find(`n${index}`);
  expect(await find('n0')).toBe(1002);
});
