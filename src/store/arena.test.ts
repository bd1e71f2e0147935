import { expect, test } from 'vitest';
import { Arena } from './arena.ts';

test('put() packs small octets into one block, and take() starts anew', () => {
  const arena = new Arena();
  const places = ['one', 'two', 'three'].map((text) => arena.put(Buffer.from(text), Buffer.from('!')));
  expect(places.map((place) => String(Buffer.from(place)))).toEqual(['one!', 'two!', 'three!']);
  expect(new Set(places.map(({ buffer }) => buffer)).size).toBe(1);
  expect(arena.take()).toEqual([places[0]?.buffer]);
  expect(arena.take()).toEqual([]);
});

test('put() gives large octets a block of their own, and take() has all blocks', () => {
  const arena = new Arena();
  const places = [10, 200_000, 60_000, 60_000].map((length) => arena.put(Buffer.alloc(length, 'x')));
  expect(places.map(({ length }) => length)).toEqual([10, 200_000, 60_000, 60_000]);
  expect(arena.take()).toEqual(places.map(({ buffer }) => buffer));
});
