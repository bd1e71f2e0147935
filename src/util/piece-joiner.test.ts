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
