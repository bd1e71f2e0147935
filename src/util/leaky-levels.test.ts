import { expect, test } from 'vitest';
import { LeakyLevels } from './leaky-levels.ts';

const hour = 3600_000;
const levels = (limit = 10, maxNames = 100) => new LeakyLevels({ limit, windowMs: hour, maxNames });

test('a level rises with what is done, and leaks away in its window', () => {
  const table = levels();
  for (let count = 1; count <= 10; count++) expect(table.add('a', 1, 0)).toBe(count);
  expect(table.isOver('a', 0)).toBe(false);
  expect(table.add('a', 1, 0)).toBe(11);
  expect(table.isOver('a', 0)).toBe(true);
  expect(table.level('a', hour / 2)).toBe(6);
  expect(table.level('a', 2 * hour)).toBe(0);
  expect(table.add('a', 1, 2 * hour)).toBe(1);
  expect(table.level('b', 0)).toBe(0);
});

test('a clock that goes back takes nothing away', () => {
  const table = levels();
  table.add('a', 5, hour);
  expect(table.level('a', 0)).toBe(5);
});

test('a level is at most twice the limit: it can be waited out', () => {
  const table = levels();
  table.add('a', 1000, 0);
  expect(table.level('a', 0)).toBe(20);
  expect(table.isOver('a', hour)).toBe(false);
});

test('memory is bounded, and who has done much is not forgotten for a crowd that did little', () => {
  const table = levels(10, 50);
  for (let index = 0; index < 20; index++) table.add(`bad ${index}`, 9, 0);
  for (let index = 0; index < 10_000; index++) table.add(`crowd ${index}`, 1, 0);
  expect(table.size).toBe(50);
  for (let index = 0; index < 20; index++) expect(table.level(`bad ${index}`, 0)).toBe(9);
});

test('not even a crowd that does much brings out everybody else', () => {
  const table = levels(10, 50);
  for (let index = 0; index < 1000; index++) table.add(`${index}`, 9, 0);
  table.add('a', 1, 0);
  for (let index = 0; index < 10; index++) table.add(`${index}`, 9, 0);
  expect([table.size, table.level('a', 0)]).toEqual([50, 1]);
});

test('forget() forgets', () => {
  const table = levels();
  table.add('a', 5, 0);
  table.forget('a');
  expect(table.level('a', 0)).toBe(0);
});
