import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap } from './heap.ts';

test('Heap gives the least first, however items come and go', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer(), { nil: undefined })), (moves) => {
      const heap = new Heap<number>((one, other) => one < other);
      let sorted: number[] = [];
      for (const move of moves) {
        if (move === undefined) {
          expect(heap.pop()).toBe(sorted[0]);
          sorted = sorted.slice(1);
        } else {
          heap.push(move);
          sorted = [...sorted, move].sort((one, other) => one - other);
        }
        expect([heap.size, heap.peek()]).toEqual([sorted.length, sorted[0]]);
      }
    }),
  );
});
