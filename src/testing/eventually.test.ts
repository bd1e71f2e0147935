import { expect, test } from 'vitest';
import { eventually } from './eventually.ts';

test('eventually() looks until there is something', async () => {
  let looks = 0;
  const found = await eventually(async () => (++looks === 3 ? 'there' : undefined), { explain: () => '' });
  expect([found, looks]).toEqual(['there', 3]);
});

test('eventually() says what there was instead', async () => {
  const waiting = eventually(async () => undefined, { timeoutMs: 20, explain: () => 'an empty box' });
  await expect(waiting).rejects.toThrow('Not within 0.02 s: an empty box');
});
