import { expect, test } from 'vitest';
import { madeOf } from './settings.ts';

test('madeOf() makes it once for each configuration', () => {
  let times = 0;
  const settings = { config: { hostname: 'one.example' } };
  const name = madeOf(settings, ({ hostname }) => {
    times++;
    return hostname.toUpperCase();
  });
  expect(times).toBe(0);
  expect([name(), name(), times]).toEqual(['ONE.EXAMPLE', 'ONE.EXAMPLE', 1]);
  settings.config = { hostname: 'two.example' };
  expect([name(), name(), times]).toEqual(['TWO.EXAMPLE', 'TWO.EXAMPLE', 2]);
});
