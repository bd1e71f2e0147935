import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Change } from './image.ts';
import { Image } from './image.ts';

const change = fc.oneof(
  fc.record({
    kind: fc.constant('write' as const),
    number: fc.constant(0),
    offset: fc.nat(20_000),
    octets: fc.uint8Array({ minLength: 1, maxLength: 9000 }).map((octets) => Buffer.from(octets)),
  }),
  fc.record({ kind: fc.constant('truncate' as const), number: fc.constant(0), length: fc.nat(20_000) }),
);

/** The same in the plainest way. */
function plainly(changes: readonly Change[]): Buffer {
  return changes.reduce((octets, each) => {
    if (each.kind === 'truncate')
      return Buffer.concat([octets, Buffer.alloc(each.length)]).subarray(0, each.length);
    const { offset, octets: written } = each;
    const length = Math.max(octets.length, offset + written.length);
    const whole = Buffer.concat([octets, Buffer.alloc(length)]).subarray(0, length);
    written.copy(whole, offset);
    return whole;
  }, Buffer.alloc(0));
}

test('Image has the octets of a file, and a copy has its own', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 6 }), fc.array(change, { maxLength: 6 }), (first, then) => {
      const image = new Image();
      for (const each of first) image.apply(each);
      const copy = image.copy();
      for (const each of then) copy.apply(each);
      expect(Buffer.concat(image.pieces()).equals(plainly(first))).toBe(true);
      expect(Buffer.concat(copy.pieces()).equals(plainly([...first, ...then]))).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('hash is that of the octets, whatever way they came', () => {
  const [once, twice] = [new Image(), new Image()];
  once.put(Buffer.alloc(10_000, 'x'), 0);
  twice.put(Buffer.alloc(12_000, 'x'), 0);
  expect(once.hash).not.toBe(twice.hash);
  twice.resize(10_000);
  expect(once.hash).toBe(twice.hash);
});
