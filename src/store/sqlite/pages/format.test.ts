import { expect, test } from 'vitest';
import { lockedPage, pageBytes, placeInMap, readFileHeader, readUse } from './format.ts';

test.each([
  ['page 1', 1, undefined],
  ['the first page of the map', 2, undefined],
  ['the first page after it', 3, { page: 2, offset: 0 }],
  ['the last page that it knows', 1640, { page: 2, offset: 1637 * 5 }],
  ['the second page of the map', 1641, undefined],
  ['the first page after that', 1642, { page: 1641, offset: 0 }],
  ['the page that SQLite locks', lockedPage, undefined],
])('placeInMap() of %s', (_, page, place) => {
  expect(placeInMap(page)).toEqual(place);
});

test('lockedPage is the page at 1 GiB', () => {
  expect((lockedPage - 1) * pageBytes).toBe(2 ** 30);
});

test('readUse() tells what a page is for, and nothing of what makes no sense', () => {
  const map = Buffer.from([5, 0, 0, 0, 9, 2, 0, 0, 0, 0, 99, 0, 0, 0, 1]);
  expect(readUse(map, 0)).toEqual({ kind: 'branch', parent: 9 });
  expect(readUse(map, 5)).toEqual({ kind: 'free', parent: 0 });
  expect(readUse(map, 10)).toBeUndefined();
});

test('readFileHeader() does not take other files for a database', () => {
  expect(readFileHeader(Buffer.alloc(pageBytes))).toBeUndefined();
});
