import { expect, test } from 'vitest';
import { UnderWay } from './under-way.ts';

test('over() resolves when the last work has ended, also by an error', async () => {
  const underWay = new UnderWay();
  await underWay.over();
  const first = Promise.withResolvers<number>();
  const second = Promise.withResolvers<number>();
  const [one, other] = [underWay.during(first.promise), underWay.during(second.promise)];
  let isOver = false;
  const over = underWay.over().then(() => {
    isOver = true;
  });
  first.resolve(1);
  expect(await one).toBe(1);
  expect(isOver).toBe(false);
  second.reject(new Error('broken'));
  await expect(other).rejects.toThrow('broken');
  await over;
  expect(isOver).toBe(true);
});
