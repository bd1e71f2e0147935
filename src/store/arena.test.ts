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

test('giveBack() has blocks used again, so that memory moves to and fro instead of being made anew', () => {
  const arena = new Arena();
  arena.put(Buffer.from('first'));
  const [block] = arena.take();
  arena.giveBack(block ? [block, new ArrayBuffer(200_000)] : []);
  const place = arena.put(Buffer.from('second'));
  expect(place.buffer).toBe(block);
  expect(String(Buffer.from(place))).toBe('second');
  arena.put(Buffer.alloc(200_000));
  expect(arena.take().map(({ byteLength }) => byteLength)).toEqual([65_536, 200_000]);
});
