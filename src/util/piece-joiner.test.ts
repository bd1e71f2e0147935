import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PieceJoiner } from './piece-joiner.ts';

test('PieceJoiner gives the octets of all pieces, in order', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), (arrays) => {
      const pieces = arrays.map((array) => Buffer.from(array));
      const joiner = new PieceJoiner();
      for (const piece of pieces) joiner.add(piece);
      expect(joiner.take() ?? Buffer.alloc(0)).toEqual(Buffer.concat(pieces));
      expect(joiner.take()).toBeUndefined();
    }),
  );
});

test('PieceJoiner moves pieces together in their buffer where it may', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), fc.array(fc.boolean()), (array, isWanted) => {
      const bytes = Buffer.from(array);
      const wanted = array.filter((_, index) => isWanted[index]);
      const joiner = new PieceJoiner({ inPlace: true });
      for (const index of bytes.keys()) if (isWanted[index]) joiner.add(bytes, index, index + 1);
      const taken = joiner.take();
      expect(taken ?? Buffer.alloc(0)).toEqual(Buffer.from(wanted));
      if (taken) expect(taken.buffer).toBe(bytes.buffer);
    }),
  );
});

test('PieceJoiner makes room once for what lies in one buffer', () => {
  const bytes = Buffer.alloc(60_000);
  const joiner = new PieceJoiner();
  for (let start = 0; start < bytes.length; start += 100) joiner.add(bytes, start, start + 90);
  expect(joiner.take()?.buffer.byteLength).toBeLessThan(1.1 * bytes.length);
});

test('PieceJoiner does not copy a single piece', () => {
  const joiner = new PieceJoiner();
  const bytes = Buffer.from('abc');
  joiner.add(bytes, 1, 3);
  expect(joiner.take()?.byteOffset).toBe(bytes.byteOffset + 1);
});

test('PieceJoiner keeps what was taken apart from what comes later', () => {
  const joiner = new PieceJoiner();
  for (const text of ['a', 'b']) joiner.add(Buffer.from(text));
  const taken = joiner.take();
  for (const text of ['c', 'd']) joiner.add(Buffer.from(text));
  expect([String(taken), String(joiner.take())]).toEqual(['ab', 'cd']);
});
